"""Draw the line where nobody begins from the gallery's own images.

Each enrolled person in turn is a stranger: how near do others come? The line follows the number of
persons by itself; calibrate again when pictures of another kind have come, such as of a new camera.
"""

from tfreid.cli import command  # before the libraries, whose start-up lines it silences

# isort: split
from absl import flags

from tfreid.cli import gallery_flags

flags.adopt_module_key_flags(gallery_flags)

_FPIR = flags.DEFINE_float(
    "fpir", None, "Share of the searches for strangers that may get a name; as before.", 0.0, 1.0
)


def main() -> None:
    """Draws the line."""
    gallery = gallery_flags.open_gallery()
    gallery.calibrate(gallery_flags.actor(), _FPIR.value)
    print(gallery.line_in_words())


if __name__ == "__main__":
    command.run(main)
