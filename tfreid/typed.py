"""Plain values, as JSON holds them, to the types that dataclasses declare, checked on the way."""

import dataclasses
import math
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any

_SHOWN_CHARACTERS = 60


def typed(
    kind: Any, value: Any, name: str = "", build: Callable[[type, Mapping, str], Any] | None = None
) -> Any:
    """Checks a plain value and makes it what it stands for.

    A list stands for a tuple or a set too, a whole number for a float, and a text for a whole
    number where it is the key of a dictionary. Nothing else is converted, and no float is infinite
    or NaN.

    Args:
      kind: a dataclass, a plain type, a union, or a `list`, `tuple`, `set` or `dict` of these; what
        is `Any` or `object` stays as it is.
      value: what JSON gave.
      name: what to call the value in messages.
      build: makes a dataclass of a mapping; `of_fields` unless given.

    Raises:
      ValueError: if the value is no such thing.
    """
    if kind in (Any, object):
        return value
    if value is None and type(None) in _options(kind):
        return None
    for option in _options(kind):
        origin = typing.get_origin(option) or option
        if dataclasses.is_dataclass(option) and isinstance(value, Mapping):
            return (build or of_fields)(option, value, name)
        if origin in (list, tuple, set) and isinstance(value, list | tuple):
            return origin(_items(option, value, name, build))
        if origin is dict and isinstance(value, Mapping):
            return _entries(option, value, name, build)
        if option is float and type(value) in (int, float):
            return _finite(value, name)
        if type(value) is option:
            return value
    raise ValueError(_unlike(kind, value, name))


def of_fields(kind: type, values: Mapping[str, Any], name: str = "") -> Any:
    """Makes a dataclass of its fields' plain values.

    Raises:
      ValueError: if a field is not known, lacks or is no such thing.
    """
    hints = typing.get_type_hints(kind)
    fields = {field.name: field for field in dataclasses.fields(kind)}
    where = f"{name} has" if name else "it has"
    if unknown := [field for field in values if field not in fields]:
        raise ValueError(f"{where} an unknown field {unknown[0]!r}")
    if missing := [field for field in required(kind) if field not in values]:
        raise ValueError(f"{where} no field {', '.join(missing)}")
    path = f"{name}." if name else ""
    return kind(**{key: typed(hints[key], value, path + key) for key, value in values.items()})


def required(kind: type) -> list[str]:
    """Returns the fields of a dataclass that have no default."""
    return [
        field.name
        for field in dataclasses.fields(kind)
        if field.default is field.default_factory is dataclasses.MISSING
    ]


def _options(kind: Any) -> tuple:
    is_union = typing.get_origin(kind) in (typing.Union, types.UnionType)
    return typing.get_args(kind) if is_union else (kind,)


def _items(kind: Any, value: list | tuple, name: str, build) -> list:
    items = typing.get_args(kind) or (Any,)
    if typing.get_origin(kind) is not tuple or items[-1] is Ellipsis:
        items = (items[0],) * len(value)
    if len(items) != len(value):
        raise ValueError(_unlike(kind, tuple(value), name))
    return [typed(item, each, name, build) for item, each in zip(items, value, strict=True)]


def _entries(kind: Any, value: Mapping, name: str, build) -> dict:
    keys, values = typing.get_args(kind) or (Any, Any)
    return {
        _key(keys, key, name): typed(values, each, f"{name}.{key}".lstrip("."), build)
        for key, each in value.items()
    }


def _key(kind: Any, key: Any, name: str) -> Any:
    if kind is int and isinstance(key, str):
        if str(number := _whole(key)) != key:
            raise ValueError(_unlike(int, key, f"a key of {name}"))
        return number
    return typed(kind, key, f"a key of {name}")


def _whole(text: str) -> int | None:
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) < 20 else None


def _finite(value: float, name: str) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(_unlike(float, value, name))
    return number


def _unlike(kind: Any, value: Any, name: str) -> str:
    found = repr(value)
    if len(found) > _SHOWN_CHARACTERS:
        found = f"{found[:_SHOWN_CHARACTERS]}…"
    return f"{name}: expected {_name(kind)}, found {found}".removeprefix(": ")


def _name(kind: Any) -> str:
    """What a kind is called in messages."""
    if isinstance(kind, type) and not typing.get_args(kind):
        return kind.__name__
    return str(kind).replace("typing.", "")
