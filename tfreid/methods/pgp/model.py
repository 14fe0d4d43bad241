"""The person-region guided pooling network."""

from collections.abc import Sequence

import keras

from tfreid.datasets.vocabulary import lookup
from tfreid.methods.pgp.regions import BRANCH_NAMES, guided_pooling, region_masks
from tfreid.nn import FeatureUnit, InceptionModule, Normalise, Stem, activation_map, scaled


class Branch(keras.layers.Layer):
    """Inception-2, Inception-3, average pooling and a fully connected layer.

    24x24x384 gives 12x12x768, 6x6x1536 and a 256-d descriptor (PGP, section 3.1).

    Args:
      width: multiplies the channels of every convolution.
      descriptor_size: length of the descriptor.
      module_widths: channels of every convolution of each module.
    """

    def __init__(
        self,
        width: float,
        descriptor_size: int,
        module_widths: Sequence[int] = (128, 256),
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.width, self.descriptor_size = width, descriptor_size
        self.module_widths = tuple(module_widths)
        self.inceptions = [InceptionModule(scaled(c, width)) for c in module_widths]
        self.pool = keras.layers.GlobalAveragePooling2D()
        self.feature = FeatureUnit(descriptor_size)

    def build(self, input_shape):
        """Creates the weights for `input_shape` `[batch, height, width, channels]`."""
        for inception in self.inceptions:
            inception.build(input_shape)
            input_shape = (*input_shape[:-1], inception.filters)
        self.feature.build((input_shape[0], input_shape[-1]))

    def features(self, x, training=None):
        """Maps Inception-1's output to the last feature map."""
        for inception in self.inceptions:
            x = inception(x, training=training)
        return x

    def call(self, x, training=None):
        """Maps Inception-1's output, gated or not, to descriptors `[batch, descriptor_size]`."""
        return self.feature(self.pool(self.features(x, training)), training=training)

    def get_config(self):
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "width": self.width,
            "descriptor_size": self.descriptor_size,
            "module_widths": self.module_widths,
        }


class PGP(keras.Model):
    """Main network, parsing network and guided-pooling sub-network (PGP, section 3.1, Figure 4).

    Args:
      persons: classes of the classifiers.
      mean_pixel: RGB mean of the training images, in [0, 255].
      width: multiplies the channels of the main network and the branches.
      branches: 0 (main network only), 1 (whole foreground), 2 (head with upper torso, lower
        torso) or 3 (head, upper torso, lower torso).
      descriptor_size: length of each branch's and of the final descriptor.
      parser: makes the parsing network, where there are branches; its classes are those of
        `regions4` or finer.
      module_widths: channels of every convolution of Inception-1, -2 and -3.
    """

    def __init__(
        self,
        persons,
        mean_pixel,
        width=1.0,
        branches=3,
        descriptor_size=256,
        parser=None,
        module_widths=(64, 128, 256),
        **kwargs,
    ):
        super().__init__(**kwargs)
        first, *rest = module_widths
        self.branch_count = branches
        self.normalise = Normalise(mean_pixel)
        self.stem = Stem(width)
        self.inception = InceptionModule(scaled(first, width))
        self.main = Branch(width, descriptor_size, rest)
        self.main_classifier = keras.layers.Dense(persons, dtype=keras.config.floatx())
        if branches:
            self.parser = parser()
            self.region_of_class = lookup(self.parser.vocabulary, "regions4")
            self.branches = [Branch(width, descriptor_size, rest) for _ in range(branches)]
            self.fusion = FeatureUnit(descriptor_size)
            self.classifier = keras.layers.Dense(persons, dtype=keras.config.floatx())

    @property
    def parts(self) -> dict[str, keras.layers.Layer]:
        """What another run can start from."""
        parts = {"stem": self.stem, "inception": self.inception, "main": self.main}
        parts["main_classifier"] = self.main_classifier
        if self.branch_count:
            parts["parser"] = self.parser
            for name, branch in zip(BRANCH_NAMES[self.branch_count], self.branches, strict=True):
                parts[f"{name}_branch"] = branch
            parts |= {"fusion": self.fusion, "classifier": self.classifier}
        return parts

    def build(self, input_shape):
        """Creates the weights for `input_shape` `[batch, height, width, 3]`."""
        size = self.main.descriptor_size
        self.stem.build(input_shape)
        self.inception.build((None, None, None, self.stem.filters))
        for branch in (self.main, *(self.branches if self.branch_count else ())):
            branch.build((None, None, None, self.inception.filters))
        self.main_classifier.build((None, size))
        if self.branch_count:
            self.parser.build(input_shape)
            self.fusion.build((None, size * (1 + self.branch_count)))
            self.classifier.build((None, size))

    def shared(self, images, training=None):
        """Maps images `[batch, 96, 96, 3]` to Inception-1's output `[batch, 24, 24, 384]`."""
        x = self.stem(self.normalise(images), training=training)
        return self.inception(x, training=training)

    def call_main(self, images, training=None):
        """Runs the main network alone; returns its `descriptor` and `logits`."""
        descriptor = self.main(self.shared(images, training), training=training)
        return {"descriptor": descriptor, "logits": self.main_classifier(descriptor)}

    def masks(self, images):
        """Returns the parsing network's mask `[batch, height, width, 1]` for each branch."""
        classes = keras.ops.stop_gradient(self.parser.regions(images))
        regions = keras.ops.take(keras.ops.array(self.region_of_class, "int32"), classes)
        return region_masks(regions, self.branch_count)

    def call(self, images, training=None):
        """Returns the final `descriptor` `[batch, 256]` and `logits` `[batch, persons]`."""
        if not self.branch_count:
            return self.call_main(images, training)
        shared = self.shared(images, training)
        descriptors = [self.main(shared, training=training)]
        for branch, mask in zip(self.branches, self.masks(images), strict=True):
            descriptors.append(branch(guided_pooling(shared, mask), training=training))
        descriptor = self.fusion(keras.ops.concatenate(descriptors, axis=-1), training=training)
        return {"descriptor": descriptor, "logits": self.classifier(descriptor)}

    def embed(self, images):
        """Returns the descriptors `[batch, 256]` of images `[batch, height, width, 3]`."""
        return keras.ops.cast(self(images, training=False)["descriptor"], "float32")

    def explain(self, images):
        """Returns `activation` of the main network's last map, and the mask of each branch."""
        shared = self.shared(images, training=False)
        maps = {"activation": activation_map(self.main.features(shared, training=False))}
        if self.branch_count:
            masks = [keras.ops.squeeze(mask, -1) for mask in self.masks(images)]
            maps.update(zip(BRANCH_NAMES[self.branch_count], masks, strict=True))
        return maps

    def copy_main_to_branches(self):
        """Initialises every branch with the main network's weights (PGP, section 3.4)."""
        for branch in self.branches:
            branch.set_weights(self.main.get_weights())
