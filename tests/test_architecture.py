"""The shape of the code: which layer may import which, and what the commands promise."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from tests.cli.test_flags_first import answered
from tests.commands import Command

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "tfreid"

# The way of the data; layers of one line do not import each other.
LAYERS = [
    ["datasets"],
    ["synthetic"],
    ["records"],
    ["inputs"],
    ["nn"],
    ["methods"],
    ["training"],
    ["retrieval"],
    ["evaluation"],
    ["masks"],
    ["report", "serving", "zoo"],
    ["networks"],
    ["reproduction"],
    ["gallery"],
    ["cli"],
]
RANK = {layer: rank for rank, layers in enumerate(LAYERS) for layer in layers}
# What all layers may import, and what it imports itself.
LEAVES = {
    "errors": set(),
    "field_names": set(),
    "progress": set(),
    "quiet": set(),
    "typed": set(),
    "files": {"errors", "typed"},
    "runtimes": {"errors", "quiet"},
}
COMMAND_FILES = ("*.py", "*/__main__.py", "*/commands/*.py")
WITHOUT_TENSORFLOW = ["datasets", "synthetic", "retrieval"]
FRONT_DOOR = "front_door"
MOST_LINES = 300

# Modules whose project has another name.
PROJECT_OF = {
    "PIL": "pillow",
    "cv2": "opencv-python-headless",
    "absl": "absl-py",
    "google": "protobuf",
    "grpc": "grpcio",
    "grpc_health": "grpcio-health-checking",
    "tensorflow_serving": "tensorflow-serving-api",
    "yaml": "pyyaml",
    "pydantic": "fastapi",  # These two are what FastAPI is made of.
    "starlette": "fastapi",
}


def imports(file: Path) -> Iterator[str]:
    """Yields the dotted name of every module, or module member, that a file imports."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} has a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def module_of(file: Path) -> str:
    """The dotted name of a module."""
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def files_by_module() -> dict[str, Path]:
    """The modules of the project, without tests."""
    folders = ("tfreid", "tfrecords_schema", "pipeline", "benchmarks")
    return {module_of(file): file for name in folders for file in (ROOT / name).rglob("*.py")}


def part(file: Path) -> str:
    """The layer, leaf or command that a file of the package belongs to."""
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def own_parts(file: Path) -> set[str]:
    """The layers, leaves and commands of the package that a file imports."""
    names = {name.split(".")[1] for name in imports(file) if name.startswith("tfreid.")}
    return names - {part(file), "__version__"}


def library_files(layer: str) -> list[Path]:
    """A layer's files, without its commands."""
    files = (PACKAGE / layer).rglob("*.py")
    return [f for f in files if f.name != "__main__.py" and f.parent.name != "commands"]


@pytest.mark.parametrize("layer", RANK)
def test_layers_import_only_from_before_them(layer: str):
    allowed = {*LEAVES} | {other for other in RANK if RANK[other] < RANK[layer]}
    for file in library_files(layer):
        assert own_parts(file) <= allowed, f"{file} imports {own_parts(file) - allowed}"


@pytest.mark.parametrize("leaf", LEAVES)
def test_leaves_import_next_to_nothing_of_the_project(leaf: str):
    assert own_parts(PACKAGE / f"{leaf}.py") <= LEAVES[leaf]


def test_every_folder_is_a_known_layer():
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert folders <= set(RANK)


@pytest.mark.parametrize("layer", WITHOUT_TENSORFLOW)
def test_some_layers_do_without_tensorflow(layer: str):
    for file in library_files(layer):
        roots = {name.split(".")[0] for name in imports(file)}
        assert not roots & {"tensorflow", "keras"}, file


def test_files_beside_the_layers_are_leaves_commands_or_the_front_door():
    beside = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"}
    assert beside - {name.split(".")[1] for name in commands()} == {*LEAVES, FRONT_DOOR}


def test_nothing_imports_a_command_or_the_front_door():
    top = {FRONT_DOOR, *(name.split(".")[1] for name in commands())} - set(RANK)
    for file in PACKAGE.rglob("*.py"):
        assert not own_parts(file) & top, file


def test_only_commands_and_their_plumbing_know_flags():
    for layer in RANK.keys() - {"cli"}:
        for file in library_files(layer):
            roots = {name.split(".")[0] for name in imports(file)}
            assert not roots & {"absl", "ml_collections"}, file


def test_modules_do_not_import_each_other_in_a_circle():
    graph = {name: set(imports(file)) for name, file in files_by_module().items()}
    # A package's __init__ names what its modules hold; the modules are what must not go round.
    modules = {name for name, file in files_by_module().items() if file.name != "__init__.py"}
    targets = {
        name: {found for given in graph[name] for found in (given, given.rpartition(".")[0])}
        & modules - {name}
        for name in modules
    }
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join([*path[path.index(name) :], name])
        if name not in done:
            for target in targets[name]:
                visit(target, (*path, name))
            done.add(name)

    for name in modules:
        visit(name, ())


def test_a_class_name_belongs_to_one_package():
    owners: dict[str, set[str]] = {}
    for name, file in files_by_module().items():
        package = ".".join(name.split(".")[: 2 if name.startswith("tfreid.") else 1])
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                owners.setdefault(node.name, set()).add(package)
    shared = {name: found for name, found in owners.items() if len(found) > 1}
    assert {name for name in shared if name != "Executor"} == set()  # TFX's name for its parts.


def test_no_file_is_long():
    long = {
        str(file.relative_to(ROOT)): count
        for file in files_by_module().values()
        if (count := len(file.read_text().splitlines())) > MOST_LINES
    }
    assert long == {}


@pytest.mark.parametrize("package", ["tfreid", "tfrecords_schema", "pipeline"])
def test_third_party_imports_are_declared(package: str):
    requirements = metadata.requires("tfreid")
    declared = {re.match(r"[\w.-]+", requirement)[0] for requirement in requirements}
    files = (ROOT / package).rglob("*.py")
    roots = {name.split(".")[0] for file in files for name in imports(file)}
    roots -= sys.stdlib_module_names | {"tfreid", "tfrecords_schema", "pipeline"}
    assert {PROJECT_OF.get(root, root.replace("_", "-")) for root in roots} <= declared


def test_nothing_runs_code_that_lies_in_a_file():
    for file in files_by_module().values():
        roots = {name.split(".")[0] for name in imports(file)}
        assert not roots & {"pickle", "dill", "cloudpickle", "marshal", "shelve", "joblib"}, file
        for call in re.findall(r"np\.load\(.*", file.read_text()):
            assert "allow_pickle=False" in call, f"{file}: {call}"


def test_light_packages_load_without_tensorflow():
    code = "import sys, tfreid, tfreid.datasets; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def commands() -> list[str]:
    """The modules of the package that can be run."""
    files = [file for shape in COMMAND_FILES for file in PACKAGE.glob(shape)]
    runnable = [file for file in files if "command.run(" in file.read_text()]
    names = [".".join(file.relative_to(ROOT).with_suffix("").parts) for file in runnable]
    return sorted(name.removesuffix(".__main__") for name in names if name != "tfreid.cli.command")


@pytest.mark.parametrize("command", commands())
def test_a_command_is_quiet_before_it_loads_a_library(command: str):
    path = ROOT.joinpath(*command.split("."))
    file = path / "__main__.py" if path.is_dir() else path.with_suffix(".py")
    ours = [name for name in imports(file) if name.startswith("tfreid")]
    assert ours[0] == "tfreid.cli.command"


@pytest.mark.slow
@pytest.mark.parametrize("command", commands())
def test_help_fits_a_screen(command: str):
    result = Command(command, "--help").finish()
    assert (result.returncode, result.stderr) == (0, "")
    # What a process shows that has loaded the command is what one shows that need not.
    assert result.stdout == answered(command, "--help").stdout
    lines = result.stdout.splitlines()
    assert len(lines) <= 50
    assert max(map(len, lines)) <= 100
