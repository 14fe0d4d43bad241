"""Export a trained run as a SavedModel: image files in, descriptors out.

The signatures are serving_default, embed_images and explain. assets.extra/serving.json says what
goes in and out, which distance means "same person" at the false-accept rate --far of a pair, and
beyond which a search finds nobody at the rate --fpir, as the query and gallery images tell.
Training ends with an export; this command makes another one, or one of several runs together,
which gives their combined descriptors.
"""

from pathlib import Path

from tfreid.cli import command  # before TensorFlow, whose start-up lines it silences

# isort: split
from absl import flags

from tfreid.files import read_json, require_writable
from tfreid.serving import export_run, export_runs
from tfreid.serving.export import EXTRA, FACTS
from tfreid.serving.recommendation import FAR, FPIR, Rates, in_words
from tfreid.training import Run

_RUN = flags.DEFINE_multi_string(
    "run",
    None,
    "Folder of the run (tfreid.train); several are combined, the maps are those of the first.",
    required=True,
)
_OUT = flags.DEFINE_string(
    "out",
    None,
    "Folder of the versions; a new one is added. export in the run's unless given; several runs "
    "need one.",
)
_DATA = flags.DEFINE_string(
    "data", None, "Converted data for the threshold; what the run was trained on unless given."
)
_FAR = flags.DEFINE_float(
    "far", FAR, "Share of the pairs of different persons that are accepted at most."
)
_FPIR = flags.DEFINE_float(
    "fpir", FPIR, "Share of the searches for strangers that may get a name in a gallery."
)
_GALLERY_PERSONS = flags.DEFINE_integer(
    "gallery_persons", None, "Persons in that gallery; those of the test images unless given.", 1
)
_FLIP = flags.DEFINE_bool(
    "flip_averaging",
    None,
    "Average the descriptors of an image and of its mirror image; as the method does unless given.",
)
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 64, "Images in a batch; changes no figure.", 1)


def main() -> None:
    """Exports the run, or several as one, as the flags say."""
    rates = Rates(_FAR.value, _FPIR.value, _GALLERY_PERSONS.value)
    options = {"rates": rates, "flip_averaging": _FLIP.value, "batch_size": _BATCH_SIZE.value}
    require_writable(Path(_OUT.value or f"{_RUN.value[0]}/export"))
    print(f"exporting {' + '.join(_RUN.value)}")
    with command.progress(None, "describing the test images", unit="images") as bar:
        options["advance"] = bar.advance
        if len(_RUN.value) > 1:
            path = export_runs(_RUN.value, base=_OUT.value, data=_DATA.value, **options)
        else:
            run = Run(_RUN.value[0])
            data = run.open_data("reid", _DATA.value) if _DATA.value else None
            path = export_run(run, base=_OUT.value, data=data, **options)
    facts = read_json(path / EXTRA / FACTS)
    print("\n".join(in_words(facts)))
    print(f"wrote {path}")


_NEEDS = {
    "several run": "out",
}

if __name__ == "__main__":
    command.run(main, needs=_NEEDS, reads=("run", "data"))
