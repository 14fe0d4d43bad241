"""A gallery's page and its REST API: `create_app` makes them, `serve` runs them."""

from tfreid.gallery.web.app import create_app
from tfreid.gallery.web.server import serve

__all__ = ["create_app", "serve"]
