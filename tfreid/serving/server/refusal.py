"""Why a request is not answered."""

import grpc


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
        super().__init__(text)
        self.code = code


def invalid(text: str) -> Refusal:
    """Returns a refusal of a request that would fail again."""
    return Refusal(grpc.StatusCode.INVALID_ARGUMENT, text)
