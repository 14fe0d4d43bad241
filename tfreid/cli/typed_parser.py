"""How the flags of a recipe's fields are parsed."""

import typing
from typing import Any

from absl import flags

KINDS = {int: "an int", float: "a float", bool: "true or false"}
"""Plain type -> what messages call its values."""


class TypedParser(flags.ArgumentParser):
    """Parses one plain type and says which one when it cannot."""

    _BASE: typing.ClassVar = {
        int: flags.IntegerParser,
        float: flags.FloatParser,
        bool: flags.BooleanParser,
    }

    def __init__(self, kind: type):
        self._parser = self._BASE[kind]()
        self.syntactic_help = KINDS[kind]

    def parse(self, argument: Any) -> Any:
        """Returns the value that a text stands for."""
        try:
            return self._parser.parse(argument)
        except (TypeError, ValueError):
            raise ValueError(f"expected {self.syntactic_help}, found {argument!r}") from None

    def flag_type(self) -> str:
        """Returns what absl calls the type."""
        return self._parser.flag_type()
