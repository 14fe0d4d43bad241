"""Which maker of masks a user means."""

from pathlib import Path

from tfreid.errors import MissingPathError
from tfreid.masks.ready import READY_NETWORKS
from tfreid.records.mask_maker import MaskMaker

_SUFFIXES = (".tflite", ".onnx")


def mask_maker(given: str | Path) -> MaskMaker:
    """Returns the maker of masks that a name or a path stands for, ready to be used.

    Args:
      given: a key of `READY_NETWORKS`; the path of a `.tflite` or `.onnx` file with its
        description beside it (`tfreid.masks.segmenter`); or the folder of a run that has a
        parsing network.

    Raises:
      UsageError: if there is no such thing, a run has no parsing network, or a library is missing.
      DataError: if a file is damaged or is no such network.
    """
    # Imported when wanted: each brings TensorFlow or its relatives.
    if str(given) in READY_NETWORKS:
        from tfreid.masks.pose import PoseMaker

        network = READY_NETWORKS[str(given)]
        return PoseMaker.of(network.path, network.found())
    path = Path(given).expanduser()
    if path.suffix.lower() in _SUFFIXES:
        from tfreid.masks.segmenter import Segmenter

        return Segmenter.of(path)
    if not path.exists():
        raise MissingPathError(
            f"parser={given}: expected one of {', '.join(READY_NETWORKS)}, the folder of a run "
            f"with a parsing network, or a network as {' or '.join(_SUFFIXES)} file; there is no "
            "such file or folder"
        )
    from tfreid.masks.run import RunMaker

    return RunMaker.of(path)
