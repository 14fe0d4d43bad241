"""Make an empty gallery for the descriptors of one model.

The gallery lies in a folder, with a database of its own that only you can reach, or on a
PostgreSQL server. It stores descriptors and thumbnails; with --keep_images also the images, from
which another model can describe them anew.
Without --model it is the one that comes with tfreid (python -m tfreid.zoo): a start, no product.
"""

from tfreid.cli import command  # before TensorFlow, whose start-up lines it silences

# isort: split
from absl import flags

from tfreid.cli import gallery_flags, network_flags
from tfreid.zoo import STARTER

flags.adopt_module_key_flags(gallery_flags)
flags.adopt_module_key_flags(network_flags)

_FPIR = flags.DEFINE_float(
    "fpir", 0.01, "Share of the searches for strangers that may get a name.", 0.0, 1.0
)
_KEEP_IMAGES = flags.DEFINE_bool("keep_images", False, "Store image files, too.")
_EXPIRE_DAYS = flags.DEFINE_integer(
    "expire_days", None, "Days after which an image is forgotten; never unless given.", 1, 36_500
)


def main() -> None:
    """Makes a gallery as the flags say."""
    model = network_flags.model_with_settings() or STARTER
    from tfreid.gallery import Gallery

    place = gallery_flags.database()
    describer = gallery_flags.describer(model)
    gallery = Gallery.create(
        place,
        describer,
        model,
        fpir=_FPIR.value,
        keep_images=_KEEP_IMAGES.value,
        expire_days=_EXPIRE_DAYS.value,
    )
    about = ", trained on drawn people: a start (python -m tfreid.zoo)" if model == STARTER else ""
    print(f"{place}: an empty gallery for the descriptors of {model}{about}")
    print(gallery.line_in_words())


if __name__ == "__main__":
    command.run(main)
