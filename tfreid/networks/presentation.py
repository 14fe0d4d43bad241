"""How images are given to a network: size, layout, colours, range, mean and deviation."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from tfreid.errors import require

LAYOUTS = ("nhwc", "nchw")
"""Images, height, width, channels (TensorFlow); images, channels, height, width (PyTorch)."""

COLOURS = ("rgb", "bgr")
"""The order of the channels; OpenCV reads files as BGR."""

SCALES = (255.0, 1.0)
"""White, before mean and deviation."""


@dataclass(frozen=True)
class Presentation:
    """How images are given to a network.

    Pixels of 0 to 255, red first, are put into the order of `colours`, divided by 255 where `scale`
    is 1, and become `(pixel - mean) / deviation`.

    Attributes:
      image_size_px: height, width where the model does not say its own; None: it must.
      layout: one of `LAYOUTS`; as the model says unless given.
      colours: one of `COLOURS`.
      scale: one of `SCALES`.
      mean: of each channel, in the range of `scale` and the order of `colours`.
      deviation: of each channel, likewise.
    """

    image_size_px: tuple[int, int] | None = None
    layout: str | None = None
    colours: str = "rgb"
    scale: float = 255.0
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    deviation: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def __post_init__(self) -> None:
        """Raises a `UsageError` where a value makes no sense."""
        size = self.image_size_px
        require(
            size is None or (len(size) == 2 and all(type(n) is int and n > 0 for n in size)),
            f"image_size_px={size}: give height and width in pixels, such as (256, 128)",
        )
        for name, choices in (("layout", (None, *LAYOUTS)), ("colours", COLOURS)):
            value = getattr(self, name)
            listed = " or ".join(choice for choice in choices if choice)
            require(value in choices, f"{name}={value!r} is not known: use {listed}")
        require(self.scale in SCALES, f"scale={self.scale!r}: the range ends at 255 or at 1")
        for name in ("mean", "deviation"):
            values = getattr(self, name)
            require(
                len(values) == 3 and all(map(math.isfinite, values)),
                f"{name}={','.join(f'{x:g}' for x in values)}: give three numbers, one a channel",
            )
        require(min(self.deviation) > 0, f"deviation={self.deviation}: pixels are divided by it")

    @property
    def normalises(self) -> bool:
        """Whether it does more than to choose a range: subtracts a mean, or divides."""
        return any(self.mean) or set(self.deviation) != {1.0}

    def present(self, images: tf.Tensor) -> tf.Tensor:
        """Returns images as the network takes them.

        Args:
          images: float32 `[n, height, width, 3]`, RGB in [0, 255].

        Returns:
          float32, `[n, height, width, 3]`, or `[n, 3, height, width]` for the layout `nchw`.
        """
        if self.colours == "bgr":
            images = images[..., ::-1]
        if self.scale != 255:
            images = images / (255 / self.scale)
        if self.normalises:
            images = (images - tf.constant(self.mean)) / tf.constant(self.deviation)
        return tf.transpose(images, (0, 3, 1, 2)) if self.layout == "nchw" else images

    def same_pixels_as(self, other: "Presentation") -> bool:
        """Whether both give a network the same numbers, wherever these lie."""
        names = ("colours", "scale", "mean", "deviation")
        return all(getattr(self, name) == getattr(other, name) for name in names)

    def words(self) -> str:
        """Returns it as a reader of a report knows it, on one line."""
        text = f"{self.colours.upper()}, 0 to {self.scale:g}"
        if not self.normalises:
            return text
        mean, deviation = (" ".join(f"{x:g}" for x in v) for v in (self.mean, self.deviation))
        return f"{text}, less {mean}, divided by {deviation}"

    def to_json(self) -> dict[str, Any]:
        """Returns it for JSON."""
        return dataclasses.asdict(self)


_IMAGENET = {"mean": (0.485, 0.456, 0.406), "deviation": (0.229, 0.224, 0.225)}

PLAIN_255 = Presentation()
"""Pixels as they are: what this toolkit's own models take, and models that normalise by themselves
(keras.applications' EfficientNet, MobileNetV3 and ConvNeXt)."""

PLAIN_1 = Presentation(scale=1.0)
"""Pixels divided by 255, as torchvision's `ToTensor` and Keras' `Rescaling(1 / 255)` do."""

TORCHREID = Presentation(image_size_px=(256, 128), scale=1.0, **_IMAGENET)
"""torchreid: `image_size`, `pixel_mean` and `pixel_std` of `FeatureExtractor` in
`torchreid/utils/feature_extractor.py` of KaiyangZhou/deep-person-reid; its
exports do not normalise."""

FAST_REID = Presentation(image_size_px=(256, 128))
"""fast-reid: `Baseline.preprocess_image` in `fastreid/modeling/meta_arch/baseline.py` of
JDAI-CV/fast-reid normalises inside the model, and `tools/deploy/trt_inference.py` gives an exported
one RGB in 0 to 255; `INPUT.SIZE_TEST` of `fastreid/config/defaults.py` is 256x128."""

BOXMOT = Presentation(image_size_px=(256, 128), scale=1.0, **_IMAGENET)
"""boxmot's exports of ReID models: `get_crops` in `boxmot/appearance/backends/base_backend.py` of
mikel-brostrom/boxmot; 384x128 for lmbn, which exports say themselves."""

KERAS_CAFFE = Presentation(colours="bgr", mean=(103.939, 116.779, 123.68))
"""keras.applications of mode `caffe`, such as ResNet50 and VGG16: `preprocess_input` of
`keras.applications.imagenet_utils`."""

KERAS_TF = Presentation(scale=1.0, mean=(0.5, 0.5, 0.5), deviation=(0.5, 0.5, 0.5))
"""keras.applications of mode `tf`, such as MobileNetV2, InceptionV3 and ResNet50V2: -1 to 1
(`preprocess_input` of `keras.applications.imagenet_utils`)."""

KERAS_TORCH = Presentation(scale=1.0, **_IMAGENET)
"""keras.applications of mode `torch`, such as DenseNet121: `preprocess_input` of
`keras.applications.imagenet_utils`; also torchvision's and timm's usual values."""

OPENVINO = Presentation(image_size_px=(256, 128), colours="bgr")
"""Open Model Zoo's person-reidentification-retail-0277, -0286, -0287, -0288 and -0300: "The
expected color order is BGR", 1x3x256x128, not normalised
(docs.openvino.ai, omz_models_model_person_reidentification_retail_0286)."""

PRESETS = {
    "0..255": PLAIN_255,
    "0..1": PLAIN_1,
    "torchreid": TORCHREID,
    "fast-reid": FAST_REID,
    "boxmot": BOXMOT,
    "keras-caffe": KERAS_CAFFE,
    "keras-tf": KERAS_TF,
    "keras-torch": KERAS_TORCH,
    "openvino": OPENVINO,
}
"""Name -> how what is out there takes its images; each constant says where that is written."""
