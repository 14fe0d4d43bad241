"""A local stand-in for TensorFlow Serving: the same protocol, for laptops and tests."""

from tfreid.serving.server.server import LocalServer

__all__ = ["LocalServer"]
