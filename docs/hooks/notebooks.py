"""Makes a page of the site of each notebook: its text, its code, and what that printed."""

import json
from pathlib import Path
from typing import Any

from properdocs.structure.files import File, Files

DOCS = Path(__file__).parents[1]


def on_files(files: Files, config: Any) -> Files:
    """Adds `<name>.md` for each `<name>.ipynb`."""
    for notebook in sorted(DOCS.glob("*.ipynb")):
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        content = "\n\n".join(_as_markdown(cell) for cell in cells) + "\n"
        files.append(File.generated(config, f"{notebook.stem}.md", content=content))
    return files


def _as_markdown(cell: dict[str, Any]) -> str:
    source = "".join(cell["source"])
    if cell["cell_type"] == "markdown":
        return source
    printed = "".join(filter(None, map(_text, cell["outputs"]))).rstrip()
    return f"```python\n{source}\n```" + (f"\n\n```text\n{printed}\n```" if printed else "")


def _text(output: dict[str, Any]) -> str:
    """What an output shows as text; what went to standard error, the progress, is left out."""
    if output.get("name") == "stderr":
        return ""
    return "".join(output.get("text") or output.get("data", {}).get("text/plain", ""))
