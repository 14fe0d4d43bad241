"""Scenes without persons that the user gives as backgrounds."""

import shutil
from collections.abc import Collection, Mapping
from pathlib import Path

from tfreid.datasets.files import MAX_IMAGE_MPX
from tfreid.datasets.layout import IMAGE_SUFFIXES, is_image
from tfreid.errors import DataError, MissingPathError, UsageError
from tfreid.records import images
from tfreid.records.records import BACKGROUNDS, POOL_OF


def find_scenes(root: Path | None) -> dict[str, list[Path]]:
    """Lists scenes in a folder, or those for training and for the test in its folders.

    Args:
        root: `backgrounds_root`, or None.

    Returns:
        The scenes by pool, a value of `POOL_OF`; by an empty name where training and test have
        the same; nothing where there is no folder.

    Raises:
        MissingPathError: if the folder, scenes, or those of one pool are missing.
        UsageError: if scenes lie in both pools and beside them.
    """
    if root is None:
        return {}
    if not root.is_dir():
        raise MissingPathError(f"no folder of backgrounds at {root}")
    shared = _pictures(root)
    pools = {pool: found for pool in POOL_OF.values() if (found := _pictures(root / pool))}
    if len(pools) > 1 and shared:
        raise UsageError(
            f"{root} has scenes in {' and '.join(pools)}, and {len(shared)} beside them "
            f"({shared[0].name}): move these into one of the two folders, or all into one"
        )
    if not shared and len(pools) == 1:
        raise MissingPathError(
            f"{root} has scenes in {', '.join(pools)} alone: expected some in each of "
            f"{' and '.join(dict.fromkeys(POOL_OF.values()))}, or all in {root} itself"
        )
    if not shared and not pools:
        raise MissingPathError(f"no backgrounds in {root}: expected *{', *'.join(IMAGE_SUFFIXES)}")
    return {"": shared} if shared else pools


def held_out(scenes: Mapping[str, list[Path]], splits: Collection[str]) -> Mapping[str, list[Path]]:
    """Keeps scenes of one folder apart for training and test, so that no model knows the test's.

    The first half is for training: scenes that stand beside each other, which may be pictures of
    one place, mostly stay together.

    Args:
        scenes: what `find_scenes` found.
        splits: those that are converted; where all are for training, or all for the test, they get
            all scenes.

    Returns:
        The scenes by pool; a single scene stays with both.
    """
    shared = scenes.get("", [])
    pools = dict.fromkeys(POOL_OF[split] for split in splits if split in POOL_OF)
    if len(shared) < 2 or len(pools) < 2:
        return scenes
    middle = (len(shared) + 1) // 2
    return {"train": shared[:middle], "test": shared[middle:]}


def copy_scenes(
    scenes: Mapping[str, list[Path]], folder: Path, max_mpx: float = MAX_IMAGE_MPX
) -> None:
    """Copies what `find_scenes` and `held_out` gave to the backgrounds of a converted folder.

    Raises:
        DataError: if one is no image, or has more megapixels than `max_mpx`.
    """
    for pool, found in scenes.items():
        for scene in found:
            try:
                images.read_image(str(scene), max_mpx=max_mpx)
            except images.RejectedError as error:
                raise DataError(f"unusable background: {error}") from error
            (folder / BACKGROUNDS / pool).mkdir(parents=True, exist_ok=True)
            shutil.copyfile(scene, folder / BACKGROUNDS / pool / scene.name)


def _pictures(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(filter(is_image, folder.iterdir()))
