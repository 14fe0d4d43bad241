"""Say who is on pictures, or nobody.

Each picture is compared with every stored image. The answer is the person of the nearest one if
that is within the line beyond which it is nobody's; the line is drawn so that of the searches for
strangers no more than the gallery's --fpir get a name.
"""

from tfreid.cli import command  # before TensorFlow, whose start-up lines it silences

# isort: split
from typing import TYPE_CHECKING

from absl import flags

from tfreid.cli import gallery_flags, network_flags
from tfreid.errors import UsageError

if TYPE_CHECKING:
    from tfreid.gallery import Answer

flags.adopt_module_key_flags(gallery_flags)
flags.adopt_module_key_flags(network_flags)

_TOP = flags.DEFINE_integer("top", 5, "Stored images to list.", 1, 1000)
_CAMERA = flags.DEFINE_multi_string("camera", [], "Only images of this camera.")
_SINCE = flags.DEFINE_string("since", None, "Only images taken then or later; local time.")
_UNTIL = flags.DEFINE_string("until", None, "Only images taken before.")
_APPROXIMATE = flags.DEFINE_bool(
    "approximate", False, "Look where the index says (tfreid.gallery index), not at all images."
)
_TOGETHER = flags.DEFINE_bool("together", False, "The pictures show one person: one answer.")


def main(pictures: list[str]) -> None:
    """Searches as the flags say."""
    if not pictures:
        raise UsageError("there is no picture to search with: name one or more")
    from tfreid.gallery.sources import moment_of, read_files
    from tfreid.serving.refused import RefusedImagesError

    files = read_files(pictures)
    filters = {
        "since": moment_of(_SINCE.value) if _SINCE.value else None,
        "until": moment_of(_UNTIL.value) if _UNTIL.value else None,
    }
    gallery = gallery_flags.open_gallery(with_model=True)
    groups = [[*range(len(files))]] if _TOGETHER.value else [[n] for n in range(len(files))]
    answer, refused = None, []
    for group in groups:
        names = [pictures[n] for n in group]
        try:
            answer = gallery.search(
                [files[n] for n in group],
                names=names,
                top=_TOP.value,
                cameras=_CAMERA.value,
                approximate=_APPROXIMATE.value,
                actor=gallery_flags.actor(),
                **filters,
            )
        except RefusedImagesError as error:
            refused += error.reasons.values()
            continue
        print("\n".join(_in_words(", ".join(names), answer)))
    if answer and _APPROXIMATE.value:
        print(f"approximate: {100 * answer.recall:.1f}% of the 10 nearest images are found")
    if answer:
        print(gallery.line_in_words())
    if refused:
        raise RefusedImagesError(dict(enumerate(refused)))


def _in_words(name: str, answer: "Answer") -> list[str]:
    lines = [f"{name}: {answer.person or 'nobody'}" if answer.line else f"{name}: cannot be told"]
    crossed = False
    for place, match in enumerate(answer.matches, 1):
        if answer.line and not crossed and match.distance > answer.line.distance:
            lines.append(f"      {answer.line.distance:.4f}  - - - nobody begins here - - -")
            crossed = True
        details = [
            match.person,
            match.camera,
            match.taken_at and f"{match.taken_at.astimezone():%Y-%m-%d %H:%M}",
        ]
        told = "  ".join(filter(None, details))
        lines.append(f"  {place:2}  {match.distance:.4f}  {told}  {match.name}")
    return lines


if __name__ == "__main__":
    command.run(main, arguments="PICTURE …")
