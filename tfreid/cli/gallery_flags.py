"""The flags that say which gallery, and what opens it."""

import getpass
from typing import TYPE_CHECKING

from absl import flags

from tfreid.cli.network_flags import model_with_settings, networks_from_flags
from tfreid.errors import UsageError

if TYPE_CHECKING:
    from tfreid.gallery import Database, Gallery
    from tfreid.gallery.describing import ImageDescriber

_GALLERY = flags.DEFINE_string("gallery", "gallery", "Folder of the gallery, with its database.")
_DATABASE = flags.DEFINE_string(
    "database", None, "postgresql://… of a server with pgvector to use in place of the folder."
)


def database() -> "Database":
    """Returns where the gallery is."""
    from tfreid.gallery import Database

    if _DATABASE.value and not _DATABASE.value.startswith(("postgresql://", "postgres://")):
        raise UsageError(
            f"--database={_DATABASE.value}: expected postgresql://user@host/database; a folder is "
            "given as --gallery"
        )
    if _DATABASE.value and flags.FLAGS["gallery"].present:
        raise UsageError("--gallery and --database are two places: give one of them")
    return Database(_DATABASE.value or _GALLERY.value)


def describer(model: str) -> "ImageDescriber":
    """Opens a model by what `model_with_settings` returned for it."""
    networks = networks_from_flags([model])
    from tfreid.gallery.describing import ImageDescriber  # Only here: it brings TensorFlow.

    return ImageDescriber(networks[0])


def open_gallery(with_model: bool = False) -> "Gallery":
    """Opens the gallery.

    Args:
      with_model: also its model, `--model` where it is given.

    Raises:
      MissingPathError, UsageError, DataError, ServingError: as `Gallery` and `open_network`.
    """
    from tfreid.gallery import Gallery

    gallery = Gallery(database())
    if not with_model:
        return gallery
    model = model_with_settings() or gallery.status()["model"]
    return Gallery(database(), describer(model))


def line_drawn(gallery: "Gallery") -> str:
    """Returns where "nobody" begins, in words; draws it where it can be and nothing else did."""
    from tfreid.gallery.own_searches import FEWEST_PERSONS

    known = gallery.status()
    if not known["searches_of"] and known["persons"] >= FEWEST_PERSONS:
        gallery.calibrate(actor())
    return gallery.line_in_words()


def actor() -> str:
    """Returns who runs the command, for the log."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # Nobody of that number is known to the system.
        return "unknown"
