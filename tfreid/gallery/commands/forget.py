"""Delete a person, an image, or what is older than some days, so that nothing of it remains.

The tables are written anew without what is deleted. Of a server that is not the gallery's own,
backups and the write-ahead log are in other hands.
"""

from tfreid.cli import command  # before the libraries, whose start-up lines it silences

# isort: split
from datetime import datetime, timedelta, timezone

from absl import flags

from tfreid.cli import gallery_flags
from tfreid.errors import UsageError

flags.adopt_module_key_flags(gallery_flags)

_PERSON = flags.DEFINE_string("person", None, "Everything of this person.")
_IMAGE = flags.DEFINE_string("image", None, "The image of this name.")
_OLDER_THAN_DAYS = flags.DEFINE_float(
    "older_than_days", None, "What was enrolled longer ago.", 0.0, 1e5
)


def main() -> None:
    """Forgets as the flags say."""
    given = [flag.value for flag in (_PERSON, _IMAGE, _OLDER_THAN_DAYS) if flag.value is not None]
    if len(given) != 1:
        raise UsageError("give one of --person, --image and --older_than_days")
    gallery, older_than = gallery_flags.open_gallery(), None
    if _OLDER_THAN_DAYS.value is not None:
        older_than = datetime.now(timezone.utc) - timedelta(days=_OLDER_THAN_DAYS.value)
    count = gallery.forget(
        person=_PERSON.value,
        image=_IMAGE.value,
        older_than=older_than,
        actor=gallery_flags.actor(),
    )
    if not count and older_than is None:
        raise UsageError(f"{given[0]!r} is not stored: nothing was forgotten")
    print(f"{count:,} images forgotten")


if __name__ == "__main__":
    command.run(main)
