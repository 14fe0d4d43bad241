"""What happens to one image between its record and its batch."""

from dataclasses import dataclass

import tensorflow as tf

from tfreid.inputs import backgrounds, images
from tfreid.inputs.augmentation import filled
from tfreid.inputs.spec import InputSpec
from tfreid.records import RecordsInfo

DRAWS = 5
"""Random numbers of every image: mirror, replace the background, image, top, left.

Those of the spec's `operations` follow.
"""


@dataclass(frozen=True)
class Preparation:
    """Decodes, composes, mirrors, resizes and changes one image and its mask.

    Attributes:
      spec: how the image is to look.
      info: of the converted folder: its mean pixel and mask vocabulary.
      scenes: background images, or None where the spec needs none.
    """

    spec: InputSpec
    info: RecordsInfo
    scenes: backgrounds.Backgrounds | None

    def __call__(
        self,
        encoded_image: tf.Tensor,
        encoded_mask: tf.Tensor | None,
        draws: tf.Tensor,
        seen: tf.Tensor | None = None,
    ) -> dict[str, tf.Tensor]:
        """Prepares one image.

        Args:
          encoded_image: string scalar.
          encoded_mask: string scalar, or None where the spec needs no mask; an image whose mask
            is empty keeps its background.
          draws: float64 `[DRAWS + those of the operations]`, uniform in [0, 1).
          seen: int64 `[2]`, person and camera ID, where the scenes have owners.

        Returns:
          `image` float32 `[height, width, 3]` in [0, 255] and, with a mask vocabulary, `mask`
          int32 `[height, width]`.
        """
        image = self.composed(encoded_image, encoded_mask, draws, seen)
        flip = draws[0] < self.spec.mirror_probability
        image = images.resize_image(self._mirror(image, flip), self.spec.image_size_px)
        mask = None if self.spec.mask_vocabulary is None else self._mask(encoded_mask, flip)
        image, mask = self._operate(image, mask, draws[DRAWS:])
        return {"image": image} if mask is None else {"image": image, "mask": mask}

    def composed(
        self,
        encoded_image: tf.Tensor,
        encoded_mask: tf.Tensor | None,
        draws: tf.Tensor,
        seen: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Returns one image with its background in its own size, `[height, width, 3]`.

        Args:
          encoded_image: as of the call, and so are the others.
          encoded_mask: as of the call.
          draws: as of the call.
          seen: as of the call.
        """
        return self._with_background(images.decode_image(encoded_image), encoded_mask, draws, seen)

    def _operate(
        self, image: tf.Tensor, mask: tf.Tensor | None, draws: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor | None]:
        """Applies the operations on resized images, each with its own draws."""
        for operation in self.spec.operations:
            own, draws = draws[: operation.draws], draws[operation.draws :]
            image, mask = filled(operation, self.info.mean_pixel)(image, mask, own)
            # Its name is part of what TensorFlow says of another shape.
            image = tf.ensure_shape(image, (*self.spec.image_size_px, 3), operation.name)
            if mask is not None:
                mask = tf.ensure_shape(mask, self.spec.image_size_px, operation.name)
        return image, mask

    def _with_background(
        self,
        image: tf.Tensor,
        encoded_mask: tf.Tensor | None,
        draws: tf.Tensor,
        seen: tf.Tensor | None,
    ) -> tf.Tensor:
        """Applies the variant at the image's own size; `[height, width, 3]` in and out."""
        probability, variant = self.spec.background_probability, self.spec.variant
        if not self.spec.changes_background:
            return image

        def changed() -> tf.Tensor:
            mask = images.decode_person(encoded_mask, self.info.mask_vocabulary)
            if variant == "mean_background":
                return backgrounds.fill_background(image, mask, self.info.mean_pixel)
            if variant == "background_only":
                return backgrounds.fill_person(image, mask, self.info.mean_pixel)
            scene = self.scenes.crop(draws[2:DRAWS], tf.shape(image)[:2], seen)
            return backgrounds.compose(image, mask, scene)

        if variant != "original":
            return changed()
        has_mask = tf.strings.length(encoded_mask) > 0
        return tf.cond(has_mask & (draws[1] < probability), changed, lambda: image)

    def _mask(self, encoded: tf.Tensor, flip: tf.Tensor) -> tf.Tensor:
        """Returns the mask in the batch's vocabulary and size; int32 `[height, width]`."""
        # Classes are converted before resizing, which is cheaper where images are enlarged.
        tables = images.class_tables(self.info.mask_vocabulary, self.spec.mask_vocabulary)
        table = tf.constant(tables)[tf.cast(flip, tf.int32)]
        mask = tf.gather(table, tf.cast(images.decode_mask(encoded), tf.int32))
        mask = images.resize_mask(self._mirror(mask, flip), self.spec.image_size_px)
        return tf.cast(mask, tf.int32)

    def _mirror(self, pixels: tf.Tensor, flip: tf.Tensor) -> tf.Tensor:
        return images.mirror(pixels, flip) if self.spec.mirror_probability else pixels
