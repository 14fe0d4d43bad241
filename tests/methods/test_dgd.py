import numpy as np

from tests.counts import convolution, inception
from tests.methods.harness import MethodContract, info
from tfreid.methods import dgd
from tfreid.methods.dgd.recipe import DgdRecipe, build


class TestDgd(MethodContract):
    method = dgd.METHOD


def test_paper_shapes_and_parameter_count():
    model = build(DgdRecipe(), info(persons=751))
    images = np.zeros((1, 144, 56, 3), "float32")
    model.build(images.shape)
    x = model.normalise(images)
    for unit in model.stem:
        x = unit(x)
        assert x.shape == (1, 144, 56, 32)
    x = model.stem_pool(x)
    shapes = [x.shape]
    for module in model.inceptions:
        x = module(x)
        shapes.append(x.shape)
    assert shapes == [(1, 72, 28, 32), (1, 36, 14, 384), (1, 18, 7, 768), (1, 9, 4, 1536)]
    outputs = model(images)
    assert outputs["descriptor"].shape == (1, 256)
    assert outputs["logits"].shape == (1, 751)
    assert model.count_params() == 3 + sum(
        (
            convolution(3, 3, 32, False) + 2 * convolution(3, 32, 32, False),
            inception(32, 64, False) + inception(384, 128, False) + inception(768, 256, False),
            1536 * 256 + 4 * 256,
            256 * 751 + 751,
        )
    )
