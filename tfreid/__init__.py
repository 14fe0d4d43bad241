"""Person re-identification that sees the person, not the background.

What a notebook needs; nothing is loaded before it is used:

    people = tfreid.ImageSet("folder", Path("people"))
    records = tfreid.convert_images(people, "data/people")
    run = tfreid.train_method("dgd", records, out="runs/dgd", scale="demo")
    results = tfreid.measure([run.network], records)
    tfreid.write_report("report/index.html", results)
    served = tfreid.ServedModel(tfreid.export_run(run))

`ImageSet`, `Records`, `Run`, `Network` and `ServedModel` open what is there; `open_network` makes a
network of any model: a file of another tool, a server, a function of images.
"""

import importlib
from typing import Any

__version__ = "0.2.0.dev0"

_MODULES = {
    "ImageSet": "tfreid.records",
    "Records": "tfreid.records",
    "convert_images": "tfreid.front_door",
    "METHODS": "tfreid.methods",
    "Method": "tfreid.methods",
    "train_method": "tfreid.front_door",
    "Run": "tfreid.training",
    "Network": "tfreid.evaluation",
    "open_network": "tfreid.networks",
    "Presentation": "tfreid.networks",
    "measure": "tfreid.front_door",
    "described_network": "tfreid.front_door",
    "write_report": "tfreid.report",
    "export_run": "tfreid.serving",
    "ServedModel": "tfreid.serving",
    "LocalServer": "tfreid.serving.server",
    "ReidClient": "tfreid.serving",
}
"""Name -> the module that has it."""

__all__ = list(_MODULES)


def __getattr__(name: str) -> Any:
    """Loads a name of `__all__` when it is first used."""
    if name not in _MODULES:
        raise AttributeError(f"module 'tfreid' has no attribute {name!r}")
    value = getattr(importlib.import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Lists the lazy names too."""
    return sorted({*globals(), *__all__})
