"""Finding a data set's folder, and telling the user what was expected where it is not found."""

import logging
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from tfreid.datasets.row import ParsingRow, Row
from tfreid.errors import DataError, MissingPathError

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")
_LEFT_BY_SYSTEMS = ("thumbs.db", "desktop.ini", "__macosx")
_MAX_FOUND_ENTRIES = 12
_log = logging.getLogger(__name__)
_passed_over: ContextVar[list[Path]] = ContextVar("passed_over")


@dataclass(frozen=True)
class Layout:
    """How a data set lies on a disk.

    Attributes:
        title: The layout's name, for messages.
        required: Relative paths that a folder of this layout has; `*`, `?` and `[]` are wildcards.
        tree: The expected tree, drawn for people.
        folder_names: Usual names of the folder, tried inside the path that the user gives.
    """

    title: str
    required: tuple[str, ...]
    tree: str
    folder_names: tuple[str, ...] = ()

    def locate(self, root: Path) -> Path:
        """Finds the folder of this layout, which is `root` or lies directly inside.

        Args:
            root: What the user gave: the data set's folder or its parent.

        Returns:
            The data set's folder.

        Raises:
            MissingPathError: Neither has the required paths; the text draws the expected tree
                and lists what was found.
        """
        return locate_any((self,), root)[1]

    def find(self, root: Path) -> Path | None:
        """Returns what `locate` does, or None where there is no such folder."""
        candidates = (root, *(root / name for name in self.folder_names))
        for folder in candidates:
            if all(any(folder.glob(path)) for path in self.required):
                _log.info("recognised the %s layout in %s", self.title, folder)
                return folder
        return None

    def expectation(self, root: Path) -> str:
        """Returns the part of an error message that compares the expected tree with the found."""
        return f"{self._expected()}found:\n{_indented(_found(root))}"

    def _expected(self) -> str:
        text = f"expected:\n{_indented(self.tree.strip())}\n"
        if self.folder_names:
            text += f"there, or in a folder named {' or '.join(self.folder_names)} inside.\n"
        return text


def locate_any(layouts: Sequence[Layout], root: Path) -> tuple[Layout, Path]:
    """Finds the folder of a data set that exists in several layouts.

    Args:
        layouts: In the order of preference.
        root: As of `Layout.locate`.

    Returns:
        The first layout that is there, and its folder.

    Raises:
        MissingPathError: There is none; the text draws all expected trees.
    """
    for layout in layouts:
        folder = layout.find(root)
        if folder is not None:
            return layout, folder
    titles = " or ".join(dict.fromkeys(layout.title for layout in layouts))
    trees = "or ".join(layout._expected() for layout in layouts)
    raise MissingPathError(
        f"no {titles} layout in {root}\n{trees}found:\n{_indented(_found(root))}"
    )


def list_images(folder: Path, suffixes: tuple[str, ...] = IMAGE_SUFFIXES) -> list[Path]:
    """Lists the images of one folder, sorted by name; other files are passed over.

    Raises:
        DataError: There is no image.
    """
    images = []
    for path in sorted(folder.iterdir()):
        if is_image(path, suffixes):
            images.append(path)
        else:
            pass_over(path)
    if not images:
        raise DataError(
            f"no images in {printable(folder)}: expected files named *{', *'.join(suffixes)}"
        )
    return images


def number_unused(folder: Path, rows: Iterable[Row | ParsingRow]) -> int:
    """Counts the images of a folder that no row lies in, and notes what else it holds.

    Raises:
        DataError: There is no image.
    """
    return len({str(image) for image in list_images(folder)} - {row.image_path for row in rows})


def is_image(path: Path, suffixes: tuple[str, ...] = IMAGE_SUFFIXES) -> bool:
    """Tells whether a path is named like an image and is not hidden."""
    return path.suffix.lower() in suffixes and not path.name.startswith(".")


@contextmanager
def noting_passed_over() -> Iterator[list[Path]]:
    """Gives a list that takes the files which readers pass over inside the block."""
    found: list[Path] = []
    token = _passed_over.set(found)
    try:
        yield found
    finally:
        _passed_over.reset(token)


def pass_over(path: Path) -> None:
    """Notes a file, or all files of a folder, that a reader does not read; not hidden ones."""
    found = _passed_over.get(None)
    if found is None or _is_of_system(path.name):
        return
    if not path.is_dir():
        found.append(path)
        return
    for folder, subfolders, names in os.walk(path):
        subfolders[:] = [name for name in subfolders if not _is_of_system(name)]
        found += [Path(folder, name) for name in names if not _is_of_system(name)]


def counted(paths: Iterable[Path], root: Path) -> dict[str, int]:
    """Counts files by extension and folder, `*.gif in query/`: the folder inside `root`."""
    counts: Counter[str] = Counter()
    for path in paths:
        outside = not path.is_relative_to(root)
        folders = [path.parent] if outside else path.relative_to(root).parts[:-1]
        place = f"{printable(folders[0])}/" if folders else "./"
        suffix = printable(path.suffix.lower())
        counts[f"*{suffix} in {place}" if suffix else f"without extension in {place}"] += 1
    return dict(sorted(counts.items()))


def _is_of_system(name: str) -> bool:
    return name.startswith(".") or name.lower() in _LEFT_BY_SYSTEMS


def key_of(dataset_name: str, image: Path, folder: Path) -> str:
    """Returns an image's key: `<data set>/<path relative to its folder, without extension>`.

    Raises:
        DataError: The path is not UTF-8, which keys are written in.
    """
    key = f"{dataset_name}/{image.relative_to(folder).with_suffix('').as_posix()}"
    try:
        key.encode()
    except UnicodeEncodeError:
        raise DataError(
            f"{printable(image)}: this name is not UTF-8, which records are written in: rename it "
            "(convmv does so for whole folders)"
        ) from None
    return key


def text_of(path: Path) -> str:
    """Returns the text of a list that came with a data set; a byte order mark is passed over.

    Raises:
        DataError: It is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text ({error}): save it as UTF-8") from None


def printable(path: str | Path) -> str:
    """Returns a path as text on one line: what a terminal cannot show, or obeys, as escapes."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _found(root: Path) -> str:
    if not root.exists():
        return f"no such path: {root}"
    if not root.is_dir():
        return f"a file: {root}"
    names = sorted(f"{path.name}/" if path.is_dir() else path.name for path in root.iterdir())
    shown = names[:_MAX_FOUND_ENTRIES]
    if len(names) > len(shown):
        shown.append(f"... and {len(names) - len(shown)} more")
    return "\n".join(shown) or "an empty folder"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
