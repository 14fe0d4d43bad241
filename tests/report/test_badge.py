import xml.etree.ElementTree as ElementTree

import pytest

from tfreid.evaluation import Verdict
from tfreid.report import badge
from tfreid.retrieval import Interval


def verdict(value, low, high, persons=10):
    loss = Interval(value, low, high, low is None)
    return Verdict("random_background", 0.8, 0.8 - value, loss, persons)


@pytest.mark.parametrize(
    ("given", "text", "colour"),
    [
        (verdict(0.0914, 0.02, 0.164), "9.1 [2.0, 16.4]", "#b7791f"),
        (verdict(0.2, 0.1, 0.3), "20.0 [10.0, 30.0]", "#c8372d"),
        (verdict(-0.01, -0.03, 0.02), "\N{MINUS SIGN}1.0 [\N{MINUS SIGN}3.0, 2.0]", "#1f8a4c"),
        (verdict(0.0, -0.2, 0.2), "0.0 [\N{MINUS SIGN}20.0, 20.0]", "#667079"),
        (verdict(0.2, 0.1, 0.3, persons=9), "20.0 [10.0, 30.0]", "#667079"),
        (verdict(0.0, None, None), "0.0", "#667079"),
        (None, "unknown", "#667079"),
    ],
)
def test_badge_shows_the_loss_and_its_interval(given, text, colour):
    drawn = badge(given)
    root = ElementTree.fromstring(drawn)
    shown = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert shown == ["background loss", text]
    assert root.attrib["aria-label"] == f"background loss: {text}"
    assert colour in drawn
