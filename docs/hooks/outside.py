"""Takes into the site what its pages link outside `docs/`, so that one link serves GitHub too.

A Markdown file from outside becomes a page of `project/`, any other file a page with its text.
"""

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from properdocs.structure.files import File, Files, InclusionLevel

ROOT = Path(__file__).parents[2]
DOCS, OUTSIDE = "docs/", "project/"
_CODE_OR_LINK = re.compile(r"^```.*?^```|`[^`\n]+`|\]\(([^)#\s]+)", re.DOTALL | re.MULTILINE)


def on_files(files: Files, config: Any) -> Files:
    """Adds a page for each file outside that a page links, and for what those link in turn."""
    pages = [(file.src_uri, file.content_string) for file in files.documentation_pages()]
    for uri, text in pages:  # grows
        for path in _linked(uri, text):
            page = _page_of(path)
            if files.get_file_from_path(page) is None and (ROOT / path).is_file():
                text = _text_of(path)
                options = {"content": text, "inclusion": InclusionLevel.NOT_IN_NAV}
                files.append(File.generated(config, page, **options))
                pages.append((page, text))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turns links between files of the repository into links between pages of the site."""
    uri = page.file.src_uri

    def in_site(match: re.Match) -> str:
        path = _path_of(uri, match[1])
        if path is None:
            return match[0]
        return "](" + posixpath.relpath(_page_of(path), posixpath.dirname(uri) or ".")

    return _CODE_OR_LINK.sub(in_site, markdown)


def _linked(uri: str, text: str) -> Iterator[str]:
    """The files of the repository that a page links."""
    paths = (_path_of(uri, match[1]) for match in _CODE_OR_LINK.finditer(text))
    return filter(None, paths)


def _path_of(uri: str, link: str | None) -> str | None:
    """The file of the repository that a page links; None of code and of other sites."""
    if link is None or ":" in link:
        return None
    own = uri.removeprefix(OUTSIDE) if uri.startswith(OUTSIDE) else DOCS + uri
    return posixpath.normpath(posixpath.join(posixpath.dirname(own), link))


def _page_of(path: str) -> str:
    """Where in the site a file of the repository is."""
    if path.startswith(DOCS):
        return path.removeprefix(DOCS).replace(".ipynb", ".md")
    return OUTSIDE + path + ("" if path.endswith(".md") else ".md")


def _text_of(path: str) -> str:
    text = (ROOT / path).read_text(encoding="utf-8")
    return text if path.endswith(".md") else f"# {path}\n\n```\n{text}```\n"
