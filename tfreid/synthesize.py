"""Draw the embedded synthetic data set: persons in scenes, in the layouts of real data sets.

Writes market1501/ and masks/ (re-identification), lip/ (for parsers), occluded_reid/, backgrounds/
and synthetic.json. The same flags give the same bytes, whatever the number of workers.
"""

import os
import time
from pathlib import Path

from absl import flags

from tfreid.cli import command
from tfreid.datasets import rows_of
from tfreid.files import completed_file, require_writable
from tfreid.synthetic.contact_sheet import draw_contact_sheet
from tfreid.synthetic.generate import Parameters, generate, is_generated, items_of

_DEFAULTS = Parameters()
_OUT = flags.DEFINE_string("out", None, "Folder to write.", required=True)
_PERSONS = flags.DEFINE_integer(
    "persons", _DEFAULTS.persons, "Persons for training, and as many others for the test."
)
_CAMERAS = flags.DEFINE_integer("cameras", _DEFAULTS.cameras, "Cameras.")
_SEED = flags.DEFINE_integer("seed", _DEFAULTS.seed, "Seed of everything.")
_LIP_IMAGES = flags.DEFINE_integer("lip_images", _DEFAULTS.lip_images, "Images for parsers.")
_BACKGROUNDS = flags.DEFINE_integer("backgrounds", _DEFAULTS.backgrounds, "Scenes without persons.")
_OCCLUDED_PERSONS = flags.DEFINE_integer(
    "occluded_persons", _DEFAULTS.occluded_persons, "Persons of the occluded probe set."
)
_SCENERY_LINK = flags.DEFINE_float(
    "scenery_link",
    _DEFAULTS.scenery_link,
    "Probability that a person is seen before one of the person's own places, in [0, 1].",
)
_CAMERA_STYLE = flags.DEFINE_integer(
    "camera_style",
    _DEFAULTS.camera_style,
    "1: cameras have their own light, colours, blur and noise; 0: they differ in place only.",
)
_SHARED_SCENERY = flags.DEFINE_bool(
    "shared_scenery",
    _DEFAULTS.shared_scenery,
    "Show a person before much the same scenery in all cameras, so that it tells who it is.",
)
_WORKERS = flags.DEFINE_integer(
    "workers", None, "Processes that draw; one a core unless given.", lower_bound=1
)
_CONTACT_SHEET = flags.DEFINE_string(
    "contact_sheet", None, "PNG to write: 64 images of the data set beside their masks."
)


def main() -> None:
    """Runs the command."""
    parameters = Parameters(
        persons=_PERSONS.value,
        cameras=_CAMERAS.value,
        seed=_SEED.value,
        lip_images=_LIP_IMAGES.value,
        backgrounds=_BACKGROUNDS.value,
        occluded_persons=_OCCLUDED_PERSONS.value,
        scenery_link=_SCENERY_LINK.value,
        camera_style=_CAMERA_STYLE.value,
        shared_scenery=_SHARED_SCENERY.value,
    )
    out = Path(_OUT.value)
    for path in filter(None, (_OUT.value, _CONTACT_SHEET.value)):
        require_writable(Path(path).parent)
    if is_generated(out, parameters):
        print(f"{out}/ is there already, complete and made with these parameters")
    else:
        _generate(out, parameters)
    if _CONTACT_SHEET.value is not None:
        sheet = Path(_CONTACT_SHEET.value)
        with completed_file(sheet) as partial:
            drawn = draw_contact_sheet(rows_of("synthetic", out), parameters.seed)
            drawn.save(partial, format="PNG")
        print(f"wrote {sheet}")


def _generate(out: Path, parameters: Parameters) -> None:
    total, workers = len(items_of(parameters)), _WORKERS.value or os.cpu_count() or 1
    print(f"drawing {total:,} images with {workers} workers into {out}/", flush=True)
    started = time.monotonic()
    with command.progress(total, "drawing", unit="images") as bar:
        description = generate(out, parameters, workers, bar.advance)
    seconds = time.monotonic() - started
    for folder, count in description["images"].items():
        print(f"  {folder}: {count:,}")
    print(f"wrote {out}/: {total:,} images in {seconds:.1f} s ({total / seconds:,.0f}/s)")


if __name__ == "__main__":
    command.run(main)
