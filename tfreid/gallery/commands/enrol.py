"""Store images of persons in a gallery: a folder, a list, or images by name.

A folder holds <person>/[<camera>/]*.jpg; a CSV list has the columns path, person and, if wanted,
name, camera and time. An enrolment is whole or absent. Images that are stored already are left out.
Where nothing is known of searches for strangers yet, the first 20 persons draw the line, as
calibrate does.
"""

from tfreid.cli import command  # before TensorFlow, whose start-up lines it silences

# isort: split
from pathlib import Path

from absl import flags

from tfreid.cli import gallery_flags, network_flags
from tfreid.errors import UsageError

flags.adopt_module_key_flags(gallery_flags)
flags.adopt_module_key_flags(network_flags)

_FOLDER = flags.DEFINE_string("folder", None, "Folder of persons.")
_LIST = flags.DEFINE_string("list", None, "CSV file; its paths are relative to it.")
_PERSON = flags.DEFINE_string("person", None, "Whom the images given by name show.")
_CAMERA = flags.DEFINE_string("camera", None, "Camera that took them.")
_TIME = flags.DEFINE_string("time", None, "When, such as 2026-01-31T12:00; local time.")


def main(images: list[str]) -> None:
    """Enrols as the flags say."""
    from tfreid.gallery.sources import images_of_folder, images_of_list, moment_of, named_images

    if (bool(_FOLDER.value), bool(_LIST.value), bool(images)).count(True) != 1:
        raise UsageError("give one of --folder, --list, and images by name with --person")
    if _PERSON.value and not images:
        raise UsageError("--person is of images given by name: leave it out")
    if images and not _PERSON.value:
        raise UsageError("--person must be given with images by name")
    if _FOLDER.value:
        found = images_of_folder(Path(_FOLDER.value))
    elif _LIST.value:
        found = images_of_list(Path(_LIST.value))
    else:
        taken_at = moment_of(_TIME.value) if _TIME.value else None
        found = named_images(images, _PERSON.value, _CAMERA.value, taken_at)
    gallery = gallery_flags.open_gallery(with_model=True)
    stored = gallery.enrol(found, gallery_flags.actor())
    before = f"; {len(found) - stored:,} were stored before" if stored < len(found) else ""
    print(f"{stored:,} images of {len({i.person for i in found}):,} persons enrolled{before}")
    print(gallery_flags.line_drawn(gallery))


if __name__ == "__main__":
    command.run(
        main,
        arguments="[IMAGE …]",
        needs={"camera": "person", "time": "person"},
    )
