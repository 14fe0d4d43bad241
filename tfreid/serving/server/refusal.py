"""Why a request is not answered."""

from collections.abc import Iterable

import grpc

_LONGEST_TEXT, _LONGEST_NAME = 4_000, 80  # gRPC takes 8 KiB of text and other trailers
_MOST_NAMES = 20


class Refusal(Exception):
    """A request that gets a status instead of an answer; the text is for its sender.

    Attributes:
      code: gRPC status.
    """

    def __init__(self, code: grpc.StatusCode, text: str):
        """Takes what the client is told.

        Args:
          code: gRPC status.
          text: what was expected and what was found.
        """
        super().__init__(shortened(text, _LONGEST_TEXT))
        self.code = code


def invalid(text: str) -> Refusal:
    """Returns a refusal of a request that would fail again."""
    return Refusal(grpc.StatusCode.INVALID_ARGUMENT, text)


def shortened(text: str, longest: int) -> str:
    """Returns a text, with `…` for what is beyond a length."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def quoted(name: str) -> str:
    """Returns a name as an error shows it; a request's may be megabytes long."""
    return repr(shortened(name, _LONGEST_NAME))


def listed_names(names: Iterable[str]) -> str:
    """Returns names as an error shows them."""
    first = sorted(names)
    more = f" and {len(first) - _MOST_NAMES} more" if len(first) > _MOST_NAMES else ""
    return (", ".join(map(quoted, first[:_MOST_NAMES])) or "none") + more
