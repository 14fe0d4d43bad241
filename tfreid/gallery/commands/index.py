"""Make an index for searches with --approximate, and measure what they miss.

Without it, and without --approximate, a search compares a picture with every stored image. The
index finds most of the nearest ones; how many is measured on the gallery's own images, and said
with each answer. Images that are enrolled later are indexed, too.
"""

from tfreid.cli import command  # before the libraries, whose start-up lines it silences

# isort: split
from absl import flags

from tfreid.cli import gallery_flags

flags.adopt_module_key_flags(gallery_flags)


def main() -> None:
    """Makes the index."""
    recall = gallery_flags.open_gallery().index(gallery_flags.actor())
    print(f"search --approximate finds {100 * recall:.1f}% of the 10 nearest images")


if __name__ == "__main__":
    command.run(main)
