"""Describe all stored images anew by another model, whose gallery it is from then on.

It needs a gallery that keeps image files (create --keep_images), and is whole or has no effect.
"""

from tfreid.cli import command  # before TensorFlow, whose start-up lines it silences

# isort: split
from absl import flags

from tfreid.cli import gallery_flags, network_flags
from tfreid.errors import UsageError

flags.adopt_module_key_flags(gallery_flags)
flags.adopt_module_key_flags(network_flags)


def main() -> None:
    """Rebuilds the gallery."""
    model = network_flags.model_with_settings()
    if model is None:
        raise UsageError("--model must be given: the one that is to describe the images")
    gallery = gallery_flags.open_gallery()
    total = gallery.status()["images"]
    with command.progress(total, "describing", unit="images") as bar:
        describer = gallery_flags.describer(model)
        count = gallery.rebuild(describer, model, gallery_flags.actor(), bar.advance)
    print(f"{count:,} images described anew by {model}")
    print(gallery_flags.line_drawn(gallery))


if __name__ == "__main__":
    command.run(main)
