"""What happens to images between their records and their batch."""

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
    """Decodes, composes, mirrors, resizes and changes images and their masks.

    Attributes:
      spec: how the images are to look.
      info: of the converted folder: its mean pixel and mask vocabulary.
      scenes: background images, or None where the spec needs none.
      stored_px: height, width of the stored images where all are alike, None where they are not.
    """

    spec: InputSpec
    info: RecordsInfo
    scenes: backgrounds.Backgrounds | None
    stored_px: tuple[int, int] | None = None

    @property
    def in_batches(self) -> bool:
        """Whether `resized` is for batches and there is nothing to do after it.

        One operation then writes the whole batch, and its images are never copied.
        """
        return self.stored_px is not None and not self.spec.operations

    def stored(
        self,
        encoded_image: tf.Tensor,
        encoded_mask: tf.Tensor | None,
        draws: tf.Tensor,
        seen: tf.Tensor | None = None,
    ) -> dict[str, tf.Tensor]:
        """Prepares one image in its stored size.

        Args:
          encoded_image: string scalar.
          encoded_mask: string scalar, or None where the spec needs no mask; an image whose mask
            is empty keeps its background.
          draws: float64 `[DRAWS + those of the operations]`, uniform in [0, 1).
          seen: int64 `[2]`, person and camera ID, where the scenes have owners.

        Returns:
          `image` uint8, or float32 where the mean pixel was put in, `[height, width, 3]` and, with
          a mask vocabulary, `mask` uint8 `[height, width]` in it.
        """
        flip = draws[0] < self.spec.mirror_probability
        image = self._mirror(self.composed(encoded_image, encoded_mask, draws, seen), flip)
        if self.spec.mask_vocabulary is None:
            return {"image": image}
        return {"image": image, "mask": self._mask(encoded_mask, flip)}

    def resized(self, pixels: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Gives one image, or a batch of such, and its mask the size of the spec.

        Args:
          pixels: what `stored` returns, or a batch of it, and anything else.

        Returns:
          `image` float32 `[..., height, width, 3]` in [0, 255], with a mask vocabulary `mask` int32
          `[..., height, width]`, and anything else.
        """
        size_px = self.spec.image_size_px
        pixels = pixels | {"image": images.resize_image(pixels["image"], size_px)}
        if "mask" in pixels:
            pixels["mask"] = tf.cast(images.resize_mask(pixels["mask"], size_px), tf.int32)
        return pixels

    def operated(self, pixels: dict[str, tf.Tensor], draws: tf.Tensor) -> dict[str, tf.Tensor]:
        """Applies the operations on resized images, each with its own draws.

        Args:
          pixels: what `resized` returns of one image.
          draws: as of `stored`.

        Returns:
          The same entries.
        """
        image, mask, draws = pixels["image"], pixels.get("mask"), draws[DRAWS:]
        for operation in self.spec.operations:
            own, draws = draws[: operation.draws], draws[operation.draws :]
            image, mask = filled(operation, self.info.mean_pixel)(image, mask, own)
            # Its name is part of what TensorFlow says of another shape.
            image = tf.ensure_shape(image, (*self.spec.image_size_px, 3), operation.name)
            if mask is not None:
                mask = tf.ensure_shape(mask, self.spec.image_size_px, operation.name)
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
          encoded_image: as of `stored`, and so are the others.
          encoded_mask: as of `stored`.
          draws: as of `stored`.
          seen: as of `stored`.
        """
        image = images.decode_image(encoded_image)
        if self.stored_px is not None:
            image = tf.ensure_shape(image, (*self.stored_px, 3))
        return self._with_background(image, encoded_mask, draws, seen)

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
        """Returns the mask in the batch's vocabulary and its stored size; uint8."""
        mask = images.decode_mask(encoded)
        if self.stored_px is not None:
            mask = tf.ensure_shape(mask, self.stored_px)
        # Classes are converted before resizing, which is cheaper where images are enlarged.
        tables = images.class_tables(self.info.mask_vocabulary, self.spec.mask_vocabulary)
        mask = images.converted(mask, tf.constant(tables)[tf.cast(flip, tf.int32)])
        return self._mirror(mask, flip)

    def _mirror(self, pixels: tf.Tensor, flip: tf.Tensor) -> tf.Tensor:
        return images.mirror(pixels, flip) if self.spec.mirror_probability else pixels
