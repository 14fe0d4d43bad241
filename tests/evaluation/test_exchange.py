"""Pictures that go out, and descriptors that come back."""

import csv
import os
from dataclasses import astuple

import h5py
import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat
from toy_models import SIZE_PX

from tfreid.errors import DataError, MissingPathError, UsageError
from tfreid.evaluation import (
    Describer,
    Measurement,
    audit,
    described_network,
    evaluation_sets,
    read_descriptors,
    write_images,
)
from tfreid.evaluation.exchange import COLUMNS, LIST, listed_images, measured_variants
from tfreid.inputs import VARIANTS
from tfreid.retrieval import Identities

MEASUREMENT = Measurement(batch_size=16)


@pytest.fixture(scope="module")
def sets(partly_masked_folder):
    return evaluation_sets(partly_masked_folder)


@pytest.fixture(scope="module")
def written(sets, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    told = []
    count = write_images(folder, sets, VARIANTS, 0, told.append)
    assert count == sum(told)
    return folder


@pytest.fixture(scope="module")
def lines(written):
    with (written / "images.csv").open(newline="") as file:
        heads, *rows = csv.reader(file)
    assert tuple(heads) == COLUMNS
    return [dict(zip(heads, row, strict=True)) for row in rows]


@pytest.fixture(scope="module")
def descriptors(sets, person):
    """The descriptors of every line, as the network of `person` gives them."""
    (tested,), describer, rows = sets, Describer(person, 16), []
    for variant in VARIANTS:
        for split in ("query", "gallery"):
            chosen = tested.measured(split, variant)
            rows.append(describer.describe(tested.folder, split, variant, indices=chosen).features)
    return np.concatenate(rows)


def test_the_list_names_every_picture(sets, written, lines):
    (tested,) = sets
    assert [tuple(line.values()) for line in lines] == [
        astuple(line) for line in listed_images(sets, VARIANTS)
    ]
    files = sorted(str(p.relative_to(written)) for p in written.rglob("*.png"))
    assert files == sorted(line["file"] for line in lines)
    counts = {
        pair: len(tested.measured(*pair[::-1]))
        for pair in ((variant, split) for variant in VARIANTS for split in ("query", "gallery"))
    }
    for (variant, split), count in counts.items():
        found = [x for x in lines if (x["variant"], x["split"]) == (variant, split)]
        assert len(found) == count
    who, keys = tested.identities("query")
    assert [line["key"] for line in lines[:12]] == keys.tolist()
    assert [line["person"] for line in lines[:12]] == list(map(str, who.person))


def test_pictures_are_what_networks_see(sets, written, lines):
    # The tiny images have the size of the toy models' input.
    (tested,) = sets
    for variant in VARIANTS:
        places = tested.masked["query"]
        seen = tested.images("query", variant, places, SIZE_PX, 0)
        keys = tested.identities("query")[1][places]
        files = {x["key"]: x["file"] for x in lines if x["variant"] == variant}
        for key, image in zip(keys, seen, strict=True):
            picture = np.asarray(Image.open(written / files[key]).resize(SIZE_PX[::-1]))
            if picture.shape == image.shape:
                assert np.abs(picture.astype(int) - image).mean() < 8
    small = next(x for x in lines if x["variant"] == "random_background")
    with Image.open(written / small["file"]) as picture:
        assert picture.mode == "RGB"


def write_npy(path, values, lines):
    np.save(path.with_suffix(".npy"), values)


def write_csv(path, values, lines):
    np.savetxt(path.with_suffix(".csv"), values, delimiter=",")


def write_named_csv(path, values, lines):
    with path.with_suffix(".csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", *(f"f{i}" for i in range(values.shape[1]))])
        writer.writerows([line["file"], *row] for line, row in zip(lines, values, strict=True))


def write_mat(path, values, lines):
    savemat(path.with_suffix(".mat"), {"features": values.astype(np.float64), "n": 3})


def write_hdf5(path, values, lines):
    """As MATLAB writes version 7.3: after a header of 512 bytes, with the axes turned."""
    with h5py.File(path.with_suffix(".mat"), "w", userblock_size=512) as file:
        file["features"] = values.T
    with path.with_suffix(".mat").open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(116) + bytes(8) + b"\x00\x02IM")


WRITERS = [write_npy, write_csv, write_named_csv, write_mat, write_hdf5]


@pytest.mark.parametrize("write", WRITERS)
def test_one_file_has_a_row_a_line(sets, lines, descriptors, tmp_path, write):
    write(tmp_path / "descriptors", descriptors, lines)
    found = read_descriptors(tmp_path, sets, VARIANTS)
    assert list(found) == [(v, s) for v in VARIANTS for s in ("query", "gallery")]
    np.testing.assert_allclose(np.concatenate(list(found.values())), descriptors, rtol=1e-6)


def test_a_file_for_each_variant_and_split(sets, lines, descriptors, tmp_path):
    for variant in VARIANTS:
        for split in ("query", "gallery"):
            rows = [(x["variant"], x["split"]) == (variant, split) for x in lines]
            np.save(tmp_path / f"{variant}-{split}.npy", descriptors[rows])
    found = read_descriptors(tmp_path, sets, VARIANTS)
    np.testing.assert_array_equal(np.concatenate(list(found.values())), descriptors)


def test_the_audit_is_that_of_the_network(sets, person, descriptors, lines, tmp_path):
    write_npy(tmp_path / "descriptors", descriptors, lines)
    network = described_network("other", read_descriptors(tmp_path, sets, VARIANTS), sets)
    (tested,) = sets
    expected = audit(person, tested, MEASUREMENT).metrics()
    found = audit([network], tested, MEASUREMENT).metrics()
    for part in (*VARIANTS, "original_with_masks", "intervals", "counts", "camera_pairs"):
        assert found[part] == expected[part]
    assert found["protocol"]["image_size_px"] is None


def test_fewer_variants_can_be_asked_for(sets, descriptors, tmp_path):
    np.save(tmp_path / "originals.npy", descriptors[: 12 + 26])
    assert measured_variants(sets, ["original"]) == ("original",)
    assert len(read_descriptors(tmp_path, sets, ["original"])) == 2
    with pytest.raises(UsageError, match="'other' is not known"):
        measured_variants(sets, ["other"])


def refused(place, sets, error=DataError, variants=VARIANTS):
    with pytest.raises(error) as caught:
        read_descriptors(place, sets, variants)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_other_lengths_shapes_and_numbers_are_refused(sets, descriptors, lines, tmp_path):
    count = len(descriptors)

    def text(values):
        np.save(tmp_path / "all.npy", values)
        return refused(tmp_path, sets)

    assert f"expected {count} rows, one for each line of the list, found 3" in text(descriptors[:3])
    assert "rows and columns have changed places" in text(descriptors.T)
    assert "one descriptor an image, found the shape" in text(descriptors[:, 0])
    assert "expected numbers, found <U1" in text(np.full(descriptors.shape, "a"))
    bad = descriptors.copy()
    bad[5] = np.nan
    assert f"the descriptor of {lines[5]['file']} (row 6) is not finite" in text(bad)
    assert "row 6) is not finite" in text(np.where(np.isnan(bad), 1e300, bad.astype(np.float64)))
    (tmp_path / "all.npy").write_bytes(b"no array")
    assert "cannot be read as .npy" in refused(tmp_path, sets)


def test_another_order_is_refused(sets, descriptors, lines, tmp_path):
    turned = [lines[1], lines[0], *lines[2:]]
    write_named_csv(tmp_path / "all", descriptors, turned)
    text = refused(tmp_path, sets)
    assert f"line 2 is of {lines[1]['file']}, and the list has {lines[0]['file']} there" in text


def test_a_list_of_another_encoding_is_refused(sets, descriptors, tmp_path):
    np.save(tmp_path / "all.npy", descriptors)
    (tmp_path / LIST).write_text("variant,split,key,file\n", encoding="utf-16")
    assert "cannot be read as CSV in UTF-8" in refused(tmp_path, sets)


def test_pipes_are_not_waited_for(sets, tmp_path):
    os.mkfifo(tmp_path / "all.npy")
    assert "has no descriptors" in refused(tmp_path, sets, MissingPathError)


def test_files_of_no_variant_are_named(sets, descriptors, tmp_path):
    for name in ("original-query", "original-gallery", "origin-query"):
        np.save(tmp_path / f"{name}.npy", descriptors[: 12 if "query" in name else 26])
    text = refused(tmp_path, sets, variants=["original"])
    assert "has origin-query.npy, which is of no variant" in text


@pytest.mark.parametrize("text", ["1;2\n3;4\n", "0,1;0,2\n0,3;0,4\n"])
def test_other_separators_are_named(text, sets, tmp_path):
    (tmp_path / "all.csv").write_text(text)
    assert "expected commas between columns and points in numbers" in refused(tmp_path, sets)


def test_damaged_csv_is_refused(sets, tmp_path):
    (tmp_path / "all.csv").write_text("1,2\n3,x\n")
    assert "line 2: could not convert string to float: 'x'" in refused(tmp_path, sets)
    (tmp_path / "all.csv").write_text("1,2\n3\n")
    assert "line 2 has 1 columns, the first 2" in refused(tmp_path, sets)
    (tmp_path / "all.csv").write_text("")
    assert "found the shape [0]" in refused(tmp_path, sets)


def test_a_mat_file_must_say_which_matrix(sets, descriptors, tmp_path):
    savemat(tmp_path / "all.mat", {"a": descriptors, "b": descriptors})
    assert "expected one matrix, found a, b" in refused(tmp_path, sets)


def test_a_missing_variant_is_named(sets, descriptors, tmp_path):
    np.save(tmp_path / "original-query.npy", descriptors[:12])
    text = refused(tmp_path, sets, MissingPathError)
    assert "no descriptors of original-gallery, mean_background-query" in text
    assert "has no descriptors: expected files" in refused(
        tmp_path.parent / "none", sets, MissingPathError
    ) or "expected a folder" in refused(tmp_path.parent / "none", sets, MissingPathError)


def test_sizes_must_agree(sets, descriptors, tmp_path):
    np.save(tmp_path / "original-query.npy", descriptors[:12])
    np.save(tmp_path / "original-gallery.npy", descriptors[12:38, :-1])
    assert "they must be of one system" in refused(tmp_path, sets, variants=["original"])


def test_a_list_of_other_images_is_refused(sets, written, descriptors, tmp_path):
    text = (written / "images.csv").read_text()
    np.save(tmp_path / "all.npy", descriptors)
    (tmp_path / "images.csv").write_text(text)
    read_descriptors(tmp_path, sets, VARIANTS)
    head, first, *others = text.splitlines(keepends=True)
    (tmp_path / "images.csv").write_text("".join([head, first.replace("query/", "q/"), *others]))
    assert "is of other images or variants: line 2 names" in refused(tmp_path, sets)
    (tmp_path / "images.csv").write_text("".join([head, first]))
    assert "lists 1 pictures, these data and variants have" in refused(tmp_path, sets)
    (tmp_path / "images.csv").write_text("a,b\n")
    assert "is not the list of an audit" in refused(tmp_path, sets)


def test_two_files_of_one_name_are_refused(sets, descriptors, tmp_path):
    np.save(tmp_path / "all.npy", descriptors)
    (tmp_path / "all.csv").write_text("1,2\n")
    assert "descriptors of all in two files" in refused(tmp_path, sets)


def test_arrays_are_checked(sets, descriptors):
    with pytest.raises(UsageError, match="mine has no descriptors of original gallery images"):
        described_network("mine", {("original", "query"): descriptors[:12]}, sets)
    with pytest.raises(UsageError, match="mine has no descriptors"):
        described_network("mine", {}, sets)
    arrays = {("original", "query"): descriptors[:12], ("original", "gallery"): descriptors[:3]}
    with pytest.raises(DataError, match=r"mine, original gallery: expected 26 rows.*found 3"):
        described_network("mine", arrays, sets)
    same = {("original", "query"): np.ones((12, 4)), ("original", "gallery"): np.ones((26, 4))}
    with pytest.raises(DataError, match="mine has the same descriptor for every query"):
        described_network("mine", same, sets)
    same["original", "gallery"][4:7] = 0
    with pytest.raises(DataError, match=r"gallery: .*\(row 5\) is all zeros, and so .* 2 other"):
        described_network("mine", same, sets)
    arrays["original", "gallery"] = descriptors[:26, :-2]
    with pytest.raises(UsageError, match="different sizes"):
        described_network("mine", arrays, sets)


def test_joint_sets_are_listed_one_after_the_other(joint_folder):
    sets = evaluation_sets(joint_folder)
    found = list(listed_images(sets, measured_variants(sets)))
    assert [line.variant for line in found] == ["original"] * len(found)
    datasets = [line.key.partition("/")[0] for line in found if line.split == "query"]
    assert datasets == ["market1501"] * 12 + ["shots"] * 8
    values = np.random.default_rng(0).random((len(found), 4), np.float32)
    queries = [line.split == "query" for line in found]
    arrays = {("original", "query"): values[queries]}
    arrays["original", "gallery"] = values[~np.array(queries)]
    network = described_network("random", arrays, sets)
    for tested in sets:
        result = audit([network], tested)
        assert isinstance(result.query, Identities)
        assert set(result.outcomes) == {"original"}
