import re
from dataclasses import replace
from html import escape
from html.parser import HTMLParser

import numpy as np
import pytest

from tfreid.evaluation import Change, Measurement, audit, evaluation_sets, gains
from tfreid.evaluation.attention import PersonMeans
from tfreid.evaluation.differences import differences
from tfreid.evaluation.sets import EvaluationSet
from tfreid.evaluation.verdict import CHANGED_BACKGROUNDS
from tfreid.records.info import SourceInfo
from tfreid.report import Attribution, write_report
from tfreid.report import page as report_page
from tfreid.report.examples import choose_examples
from tfreid.report.markup import percent, verdict_class
from tfreid.report.pictures import embedded, overlay
from tfreid.training import LossCurve

VOID = {"meta", "img", "br", "path", "use", "rect", "link"}


class Page(HTMLParser):
    """Checks that tags match and keeps addresses and text."""

    def __init__(self, text):
        super().__init__()
        self.open, self.addresses, self.text = [], [], ""
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.addresses += [value for name, value in attributes if name in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += data


@pytest.fixture(scope="module")
def written(audits, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report" / "index.html"
    write_report(path, audits, "python -m tfreid.evaluate --run=a&b")
    assert [file.name for file in path.parent.iterdir()] == ["index.html"]
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(written):
    return Page(written)


def test_page_holds_everything_it_shows(page, written):
    assert page.addresses
    for address in page.addresses:
        assert address.startswith(("data:image/jpeg;base64,", "#"))
    # What is left of addresses are names of XML vocabularies in the charts.
    outside = set(re.findall(r"https?://[^\"'\s]*", written))
    assert all(
        "w3.org" in address
        or "purl.org" in address
        or "creativecommons" in address
        or "matplotlib.org" in address
        for address in outside
    )


def test_page_names_models_data_and_protocol(page, audits):
    for expected in (
        "scenery <1>",
        "person",
        "synthetic data",
        "12 queries",
        "26, 25 used (distractors, which match nobody: 1); left out: 1 junk, 24 for single "
        "queries, of their person by their own camera",
        "market (the data set's own): single query",
        "random background",
        "python -m tfreid.evaluate --run=a&b",
        "8.7% rank-1 for a random ranking",
    ):
        assert expected in page.text, expected
    rank1 = audits[1].metrics()["original"]["rank1"]
    assert f"{100 * rank1:.1f}" in page.text


def test_page_shows_right_and_wrong(written):
    assert written.count('class="right"') > 10
    assert written.count('class="wrong"') > 10


def test_page_shows_camera_pairs(written, page, audits):
    assert "Accuracy by camera pair" in page.text
    for result in audits:
        card = written.split(f'pairs"><h3>{escape(result.name)}</h3>')[1].split("</table>")[0]
        columns = re.findall("in ([0-9]+)</th>", card)
        rows = dict(re.findall("camera ([0-9]+)</th>(.*?)</tr>", card))
        for pair, figures in result.metrics()["camera_pairs"].items():
            query, gallery = pair.split("-")
            cell = rows[query].split("</td>")[columns.index(gallery)]
            rank1, precision = f"{100 * figures['rank1']:.1f}", f"{100 * figures['mAP']:.1f}"
            assert cell.endswith(f'title="6 queries, mAP {precision}">{rank1}')


@pytest.fixture(scope="module")
def other_text(audits, tmp_path_factory):
    """The text of a page with names and losses, of which a model has masks that say nothing."""
    example = choose_examples(audits)[0].query
    person, camera = (int(getattr(audits[0].query, x)[example]) for x in ("person", "camera"))
    source = SourceInfo(person_names={person: "<Ann>"}, camera_names={camera: "the door"})
    original = audits[1].explanations["original"]
    means = {"activation": PersonMeans(inside=0.25, outside=0.5, auc=0.375, images=9)}
    masks = replace(audits[1], explanations={"original": replace(original, means=means)})
    steps = np.array([50, 100])
    identity = [LossCurve(stage, steps + i, steps / 100) for i, stage in enumerate(("one", "two"))]
    losses = {"identity": identity, "camera_of": [LossCurve("one", steps[:1], np.array([2.5]))]}
    path = tmp_path_factory.mktemp("other") / "index.html"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EvaluationSet, "source", source)
        write_report(path, [audits[0], masks], losses={"person": losses, "scenery <1>": {}})
    return Page(path.read_text(encoding="utf-8")).text


def test_page_names_persons_and_cameras(other_text):
    assert "Person <Ann>, camera the door" in other_text
    assert "in the door" in other_text


def test_data_without_cameras_have_no_table_of_pairs(audits, tmp_path):
    without = {v: replace(o, camera_pairs={}) for v, o in audits[0].outcomes.items()}
    write_report(tmp_path / "index.html", [replace(audits[0], outcomes=without)])
    assert "camera pair" not in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_page_names_the_pool_of_random_backgrounds(page):
    assert "of the pool for the test, which is apart from that for training; scenes:" in page.text
    assert "given scenes: 2 for training, 1 for the test" in page.text


def test_page_shows_each_map_in_both_variants(page, written, audits):
    for result in audits:
        for shown in result.explanations.values():
            for means in shown.means.values():
                contrast = f"{means.contrast:+.3f}".replace("-", "\N{MINUS SIGN}")
                cells = f"<td>{means.inside:.3f}</td><td>{means.outside:.3f}</td>"
                assert f"{cells}<td><b>{contrast}</b></td><td>{means.auc:.3f}</td>" in written
    assert "over 12 queries, and the probability" in page.text
    assert "Left out" not in page.text
    # Two models, two variants, ten queries.
    assert written.count('alt="half map"') == written.count('alt="activation map"') == 2 * 2 * 10


def test_page_says_how_many_masks_are_empty_or_full(other_text):
    assert "over 9 queries, and" in other_text
    assert "Left out: 3 queries whose mask is empty or full." in other_text
    assert "0.2500.500\N{MINUS SIGN}0.2500.375" in other_text


def test_page_shows_the_losses_of_each_run(written, other_text):
    assert "How it was trained" not in written
    assert "How it was trained" in other_text
    assert "person: identity" in other_text
    assert "person: camera of" in other_text
    assert "scenery <1>: " not in other_text


def test_the_table_of_figures_is_coloured_as_the_verdict(audits, written):
    losses = [
        (r.losses[variant]["rank1"], r.verdict.persons)
        for r in audits
        for variant in CHANGED_BACKGROUNDS
    ]
    styles = re.findall('<span class="pill ([a-z]+)">', written)
    assert styles == [verdict_class(*loss) for loss in losses]
    assert "unknown" in styles


def test_page_says_first_what_is_due_to_what(audits, tmp_path):
    found = gains([Change("the <person>", "scenery <1>", "person", "Table 1")], audits)
    write_report(tmp_path / "index.html", audits, attribution=Attribution(found, ["As & often."]))
    text = Page((tmp_path / "index.html").read_text(encoding="utf-8")).text
    one = found[0].figures["random_background"]["rank1"]
    low, high = (percent(end) for end in (one.low, one.high))
    row = text.split("the <person>scenery <1> → person; Table 1")[1]
    assert f"{percent(one.value, '+')}{low} to {high}" in row
    assert "As & often." in row
    assert text.index("What is due to what") < text.index("Accuracy by background")
    assert differences(audits)[0].sentence not in text


def test_same_audits_write_the_same_page(audits, written, tmp_path):
    write_report(tmp_path / "index.html", audits, "python -m tfreid.evaluate --run=a&b")
    assert (tmp_path / "index.html").read_text(encoding="utf-8") == written


def test_one_model_on_one_variant_has_a_page(folder_without_masks, person, tmp_path):
    (tested,) = evaluation_sets(folder_without_masks)
    result = audit(person, tested, Measurement())
    write_report(tmp_path / "index.html", [result])
    text = Page((tmp_path / "index.html").read_text(encoding="utf-8")).text
    assert "have no masks" in text


def test_audits_of_other_data_are_not_compared(audits, tmp_path):
    fewer = replace(audits[1], outcomes={"original": audits[1].outcomes["original"]})
    with pytest.raises(ValueError, match="same data"):
        write_report(tmp_path / "index.html", [audits[0], fewer])
    assert not any(tmp_path.iterdir())


def test_data_sets_of_a_joint_set_follow_each_other(joint_folder, person, tmp_path):
    results = [audit(person, tested, Measurement()) for tested in evaluation_sets(joint_folder)]
    write_report(tmp_path / "index.html", results, "the command")
    text = Page((tmp_path / "index.html").read_text(encoding="utf-8")).text
    assert "No figure mixes them" in text
    assert text.index("How market1501 was measured") < text.index("How shots was measured")
    assert text.count("the command") == 1
    market, shots = (f"{100 * r.metrics()['original']['rank1']:.1f}" for r in results)
    assert f"market1501personmarketoriginal{market}" in text
    assert f"shotspersonrandom_halforiginal{shots}\N{EN DASH}" in text
    for expected in (
        "random_half (the data set's own)",
        "each of 100 draws takes one image a person",
        "test persons, drawn with seed 7; published figures are the mean over all 10",
        "images=all; 5 images left out: persons seen by one camera",
        "of lowest mean reciprocal rank",
    ):
        assert expected in text, expected


def test_other_protocols_are_not_compared(reid_folder, audits, tmp_path):
    (tested,) = evaluation_sets(reid_folder, "no_camera")
    with pytest.raises(ValueError, match="same data, protocol"):
        write_report(tmp_path / "index.html", [audits[0], replace(audits[1], tested=tested)])


def test_examples_begin_with_the_largest_falls(audits):
    examples = choose_examples(audits)
    persons = [audits[0].query.person[example.query] for example in examples]
    assert len(set(persons)) == len(persons) > 1
    falls = np.max(
        [
            r.outcomes["original"].retrieval.average_precision
            - r.outcomes["random_background"].retrieval.average_precision
            for r in audits
        ],
        axis=0,
    )
    assert falls[examples[0].query] == falls.max()
    assert "falls by" in examples[0].reason
    assert examples[-1].reason == "drawn at random"


def test_overlay_glows_where_the_map_is_strong():
    image = np.full((32, 16, 3), 100, np.uint8)
    heat = np.zeros((4, 2), np.float32)
    heat[:, 1] = 1
    shown = overlay(image, heat)
    assert shown.shape == image.shape
    assert shown.dtype == np.uint8
    assert shown[:, 12:].mean() > shown[:, :4].mean() + 40


def test_embedded_picture_is_a_jpeg():
    assert embedded(np.zeros((8, 4, 3), np.uint8), (16, 8)).startswith(
        "data:image/jpeg;base64,/9j/"
    )


def test_page_shows_intervals_and_the_verdict(page, audits):
    scenery = audits[0]
    assert scenery.verdict.sentence in page.text
    interval = scenery.losses["random_background"]["rank1"]
    for end in (-interval.low, -interval.high):
        assert percent(end, "+") in page.text
    figure = scenery.intervals["original"]["mAP"]
    assert f"{percent(figure.low)} to {percent(figure.high)}" in page.text
    (difference,) = differences(audits)
    assert difference.sentence in page.text


def test_page_says_which_images_have_masks(partly_masked_folder, person, tmp_path):
    (tested,) = evaluation_sets(partly_masked_folder)
    result = audit(person, tested, Measurement(batch_size=8))
    write_report(tmp_path / "index.html", [result])
    text = Page((tmp_path / "index.html").read_text(encoding="utf-8")).text
    queries, gallery = (len(tested.masked[split]) for split in ("query", "gallery"))
    assert f"{queries} of 12 queries and {gallery} of 26 gallery images have one" in text
    assert "original with masks" in text
    assert "queries whose mask is empty, full or missing" in text


def test_chance_is_that_of_the_images_that_bars_show(
    partly_masked_folder, person, tmp_path, monkeypatch
):
    drawn = []
    monkeypatch.setattr(report_page, "rank1_bars", lambda rank1, chance: drawn.append(chance) or "")
    (tested,) = evaluation_sets(partly_masked_folder)
    result = audit(person, tested, Measurement(batch_size=8))
    write_report(tmp_path / "index.html", [result])
    assert drawn == [result.outcomes["random_background"].retrieval.chance_rank1]
    assert drawn[0] != pytest.approx(result.chance_rank1, rel=0.01)
    chances = (percent(result.chance_rank1), percent(drawn[0]))
    said = "{}% rank-1 for a random ranking; {}% of the images with masks".format(*chances)
    assert said in Page((tmp_path / "index.html").read_text(encoding="utf-8")).text
