"""What files of Python say, read without importing them: that would take seconds."""

import ast
import functools
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def calls(path: Path) -> Iterator[ast.Call]:
    """Yields all calls in a file."""
    yield from (node for node in ast.walk(_tree(path)) if isinstance(node, ast.Call))


def docstring(path: Path) -> str:
    """Returns what a file says of itself, empty if nothing."""
    return ast.get_docstring(_tree(path)) or ""


def called(call: ast.Call) -> str:
    """Returns the last word of what is called: `run` of `command.run(main)`."""
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def file_of(module: str) -> Path:
    """Returns the file of a module whose package need not have been imported.

    Raises:
      LookupError: if there is none.
    """
    package, *names = module.split(".")
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise LookupError(f"{module} is no package's module")
    place = Path(spec.submodule_search_locations[0]).joinpath(*names)
    found = [path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()]
    if not found:
        raise LookupError(f"there is no file of {module}")
    return found[0]


def definition(path: Path, name: str) -> tuple[ast.AST, Path]:
    """Finds the class or the value that a name stands for in a file, also where it is imported.

    Args:
      path: the file.
      name: of its top level.

    Returns:
      A class's definition or a value's expression, and the file that it stands in; for a module
      its tree.

    Raises:
      LookupError: if there is none.
    """
    tree = _tree(path)
    found = _defined(tree, name)
    if found is not None:
        return found, path
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if name == (alias.asname or alias.name):
                    return _imported(node.module, alias.name)
    raise LookupError(f"{path} has no {name}")


def _defined(scope: ast.Module | ast.ClassDef, name: str) -> ast.AST | None:
    """Finds the class or the value that a name stands for in a module or a class itself."""
    for node in scope.body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return node
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(target, ast.Name) and target.id == name for target in targets):
                return node.value
    return None


def meant(node: ast.AST, path: Path) -> tuple[ast.AST, Path]:
    """Returns the expression that a name stands for, and its file; other expressions as they are.

    Of an object made without arguments, a name is the default of its class.

    Raises:
      LookupError: if the name is not known.
    """
    if isinstance(node, ast.Name):
        return meant(*definition(path, node.id))
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        holder, place = meant(node.value, path)
        if isinstance(holder, ast.Module):
            return meant(*definition(place, node.attr))
        if isinstance(holder, ast.Call) and not holder.args and not holder.keywords:
            made, place = meant(holder.func, place)
            default = _defined(made, node.attr) if isinstance(made, ast.ClassDef) else None
            if default is not None:
                return meant(default, place)
        raise LookupError(f"{ast.unparse(node)} in {path} is not known")
    return node, path


def value(node: ast.AST, path: Path) -> Any:
    """Evaluates an expression of literals and of names that stand for such.

    Of a dictionary the keys count, as in `list(METHODS)`; of one of objects by their names, their
    first arguments.

    Args:
      node: the expression.
      path: the file that it stands in.

    Raises:
      LookupError, ValueError: if it is more than that.
    """
    node, path = meant(node, path)
    if isinstance(node, ast.Call) and called(node) in ("list", "tuple") and len(node.args) == 1:
        return value(node.args[0], path)
    if isinstance(node, ast.Dict):
        return [value(key, path) for key in node.keys if key is not None]
    if isinstance(node, ast.DictComp) and isinstance(node.key, ast.Attribute):
        objects, path = meant(node.generators[0].iter, path)
        return [value(each.args[0], path) for each in getattr(objects, "elts", ())]
    if isinstance(node, ast.List | ast.Tuple):
        parts = [_items(each, path) for each in node.elts]
        return [item for part in parts for item in part]
    return ast.literal_eval(node)


def _items(node: ast.AST, path: Path) -> list:
    return value(node.value, path) if isinstance(node, ast.Starred) else [value(node, path)]


def _imported(module: str, name: str) -> tuple[ast.AST, Path]:
    try:
        path = file_of(f"{module}.{name}")
    except LookupError:
        return definition(file_of(module), name)
    return _tree(path), path


@functools.cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))
