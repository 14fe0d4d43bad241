from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tfreid.synthetic.drawing.body import LABELS
from tfreid.synthetic.drawing.figure import draw_figure
from tfreid.synthetic.drawing.look import BAGS, BOTTOMS, HAIRCUTS, HATS, PATTERNS, TOPS, draw_look
from tfreid.synthetic.drawing.painter import KEEP, Painter, Tube
from tfreid.synthetic.drawing.places import KINDS, make_place
from tfreid.synthetic.drawing.pose import Pose, draw_pose
from tfreid.synthetic.drawing.props import OCCLUDERS
from tfreid.synthetic.drawing.scene import HEIGHT, SCALE, WIDTH, draw_scene

GREEN = (0, 255, 0)
FRONT = Pose(yaw=0.0, phase=0.0, stride=0.05, arms=("still", "still"), tilt=0.1)


def person(**look):
    """A look without anything that is optional, changed as given."""
    plain = replace(
        draw_look(np.random.default_rng(0)),
        bag="none", hat="none", haircut="short", top="t-shirt", bottom="trousers", pattern="plain",
        socks=None, gloves=None, scarf=None, sunglasses=False, leg_stripe=False, stature=1.0,
    )  # fmt: skip
    return replace(plain, **look)


def drawn(look, pose=FRONT, is_subject=True, scale=3):
    """Draws a person on plain green; RGB and labels, each reduced to 128 x 64."""
    image = Image.new("RGB", (64 * scale, 128 * scale), GREEN)
    labels = Image.new("L", image.size)
    painter = Painter(image, scale, labels)
    draw_figure(painter, look, pose, (32, 122), 108, is_subject)
    return np.asarray(image)[1::3, 1::3], np.asarray(labels)[1::3, 1::3]


def share_of_differences(one, other):
    """Shading may miss an edge by a subpixel, hence no equality."""
    return np.mean(one != other)


def test_a_tube_has_the_given_width():
    tube = Tube([(10, 0), (10, 20)], [3, 3])
    np.testing.assert_allclose(tube.at(0.5, 1.0), (13, 10))
    np.testing.assert_allclose(tube.at(0.5, -1.0), (7, 10))
    assert tube.extent == pytest.approx(20)
    band = tube.band(0.25, 0.75, 0, 1)
    np.testing.assert_allclose([band.min(0), band.max(0)], [(10, 5), (13, 15)])


def test_shapes_and_labels_coincide():
    image, labels = Image.new("RGB", (40, 40)), Image.new("L", (40, 40))
    painter = Painter(image, 2, labels)
    painter.polygon([(2, 3), (15, 5), (9, 17)], (255, 255, 255), 7)
    painter.ellipse((14, 14), (4, 3), (255, 255, 255), 7)
    painter.rectangle(0, 0, 20, 2, (0, 0, 0, 90), KEEP)
    np.testing.assert_array_equal(np.asarray(image)[..., 0] > 0, np.asarray(labels) == 7)


@pytest.mark.parametrize("yaw", np.linspace(0, 2 * np.pi, 8, endpoint=False))
def test_the_mask_covers_exactly_the_person(yaw):
    pixels, labels = drawn(person(), replace(FRONT, yaw=yaw, stride=0.4, phase=1.0))
    assert share_of_differences(labels > 0, (pixels != GREEN).any(-1)) < 1e-3


def test_left_and_right_are_the_persons_own():
    _, front = drawn(person())
    _, back = drawn(person(), replace(FRONT, yaw=np.pi))
    for part in ("arm", "shoe"):
        left, right = LABELS[f"left-{part}"], LABELS[f"right-{part}"]
        columns = [
            np.nonzero(mask == label)[1].mean() for mask in (front, back) for label in (left, right)
        ]
        assert columns[0] > columns[1]
        assert columns[2] < columns[3]


def test_clothes_have_their_classes():
    expected = {
        "hat": {"hat": "cap"},
        "glove": {"gloves": (9, 9, 9)},
        "sunglasses": {"sunglasses": True},
        "dress": {"top": "dress"},
        "coat": {"top": "coat"},
        "socks": {"bottom": "shorts", "socks": (9, 9, 9)},
        "jumpsuits": {"top": "jumpsuit"},
        "scarf": {"scarf": (9, 9, 9)},
        "skirt": {"bottom": "skirt"},
        "left-leg": {"bottom": "shorts"},
    }
    _, plain = drawn(person())
    names = {name for name, index in LABELS.items() if (plain == index).any()}
    assert names == {"background", "hair", "upper-clothes", "pants", "face", "left-arm",
                     "right-arm", "left-shoe", "right-shoe"}  # fmt: skip
    for name, look in expected.items():
        assert (drawn(person(**look))[1] == LABELS[name]).any(), name


def test_bags_and_other_people_are_background():
    pixels, labels = drawn(
        person(bag="backpack", bag_colour=(255, 0, 255)), replace(FRONT, yaw=np.pi)
    )
    is_bag = (pixels[..., 0] > 120) & (pixels[..., 2] > 120) & (pixels[..., 1] < 60)
    assert is_bag.sum() > 100
    assert (labels[is_bag] == 0).all()
    assert drawn(person(), is_subject=False)[1].max() == 0


def test_all_kinds_of_looks_can_be_drawn():
    options = {
        "top": TOPS,
        "bottom": BOTTOMS,
        "pattern": PATTERNS,
        "haircut": HAIRCUTS,
        "hat": HATS,
        "bag": BAGS,
    }
    rng = np.random.default_rng(0)
    for field, kinds in options.items():
        for kind in kinds:
            _, labels = drawn(person(**{field: kind}), draw_pose(rng, 0.0, 0.1))
            assert 800 < (labels > 0).sum() < 4000


@pytest.mark.parametrize("occluder", OCCLUDERS)
def test_objects_hide_what_is_behind_them(occluder):
    image, labels = Image.new("RGB", (192, 384), GREEN), Image.new("L", (192, 384), 5)
    occluder(Painter(image, 3, labels), np.random.default_rng(1), (32, 122), 100)
    is_drawn = (np.asarray(image) != GREEN).any(-1)
    assert share_of_differences(np.asarray(labels) == 0, is_drawn) < 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_place_fills_the_scene(kind):
    place = make_place(kind, 1, (0, 5))
    scene = draw_scene(place, (1, 2), (0.6, -0.8))
    assert scene.image.size == (WIDTH * SCALE, HEIGHT * SCALE)
    assert 0 < scene.base < HEIGHT
    pixels = np.asarray(scene.image, float)
    assert pixels.std(axis=(0, 1)).min() > 8
    again = draw_scene(place, (1, 2), (0.6, -0.8))
    assert again.image.tobytes() == scene.image.tobytes()
