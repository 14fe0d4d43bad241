"""Show what a gallery is, or write all that it stores on a person.

Without --person: its model, its size, the line where "nobody" begins, its retention. With it,
JSON with every image, descriptor, thumbnail and entry of the log that concerns the person.
"""

from tfreid.cli import command  # before the libraries, whose start-up lines it silences

# isort: split
import json
import sys

from absl import flags

from tfreid.cli import gallery_flags

flags.adopt_module_key_flags(gallery_flags)

_PERSON = flags.DEFINE_string("person", None, "Whose data to write, as JSON, to standard output.")


def main() -> None:
    """Shows what the flags ask for."""
    gallery = gallery_flags.open_gallery()
    if _PERSON.value:
        json.dump(gallery.stored(_PERSON.value), sys.stdout, indent=2, ensure_ascii=False)
        print()
        return
    found = gallery.status()
    days = found["expire_days"]
    print(f"{found['place']}: {found['images']:,} images of {found['persons']:,} persons")
    print(f"model: {found['model']}")
    if found["beta"]:
        print("compared by: positions")
    print(f"image files: {'kept' if found['keep_images'] else 'not kept, thumbnails alone'}")
    print(f"retention: {f'{days} days' if days else 'until forgotten'}")
    print(gallery.line_in_words())


if __name__ == "__main__":
    command.run(main)
