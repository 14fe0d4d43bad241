"""Between a trained model and someone else's request."""

from tfreid.serving.export import export

__all__ = ["export"]
