"""The fields of a method's recipe, read off the files: the methods bring TensorFlow."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tfreid.cli.source import called, calls, definition, file_of

_KINDS = {"int": int, "float": float, "bool": bool}


def of_method(name: str | None) -> dict[str, type | None]:
    """Returns the fields of a recipe, dotted where nested, former ones too, and their plain types.

    Args:
      name: of the method.

    Returns:
      Field -> `int`, `float` or `bool`; None for another type.

    Raises:
      LookupError: if there is no such method, or its files are written in another way.
    """
    methods, _ = definition(file_of("tfreid.methods"), "METHODS")
    named = [key.value for key in methods.keys]
    if name not in named:
        raise LookupError(f"there is no method {name!r}")
    path = file_of(f"tfreid.methods.{name}.recipe")
    for call in calls(path):
        if called(call) == "Method":
            recipe = next(keyword.value for keyword in call.keywords if keyword.arg == "recipe")
            return dict(_fields(*definition(path, recipe.id)))
    raise LookupError(f"{path} makes no Method")


def _fields(recipe: ast.ClassDef, path: Path, prefix: str = "") -> Iterator[tuple]:
    for base in reversed(recipe.bases):  # As dataclasses order their fields.
        yield from _fields(*definition(path, base.id), prefix)
    for node in recipe.body:
        if not isinstance(node, ast.AnnAssign):
            continue
        name, annotation = node.target.id, ast.unparse(node.annotation)
        if name == "former_fields":
            yield from ((f"{prefix}{key.value}", None) for key in node.value.keys)
        elif not annotation.startswith("ClassVar"):
            nested = _nested(node.annotation, path)
            if nested:
                yield from _fields(*nested, f"{prefix}{name}.")
            else:
                yield f"{prefix}{name}", _KINDS.get(annotation)


def _nested(annotation: ast.AST, path: Path) -> tuple[ast.ClassDef, Path] | None:
    """The recipe that a field holds, perhaps beside None."""
    for node in ast.walk(annotation):
        if isinstance(node, ast.Name):
            try:
                found, place = definition(path, node.id)
            except LookupError:  # A built-in type.
                continue
            if isinstance(found, ast.ClassDef):
                return found, place
    return None
