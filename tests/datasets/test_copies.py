import numpy as np
import pytest
from hand_made import write_image
from PIL import Image

from tfreid.datasets import rows_of
from tfreid.datasets.check import file_problems
from tfreid.datasets.copies import fingerprint_of


def picture(seed, size=(64, 128)):
    """Something smoother than noise, as photographs are."""
    cells = np.random.default_rng(seed).integers(0, 256, (8, 4, 3), np.uint8)
    return Image.fromarray(cells).resize(size, Image.Resampling.BICUBIC)


def tree(root, **pictures):
    for path, image in pictures.items():
        place = root / (path.replace("__", "/") + ".png")
        place.parent.mkdir(parents=True, exist_ok=True)
        image.save(place)
    return root


def found(root, name="folder"):
    return {
        problem.title.split()[0] + " " + problem.title.split()[1]: problem.names
        for problem in file_problems(rows_of(name, root), None)
    }


def test_names_the_same_picture_in_query_and_gallery(tmp_path):
    root = tree(
        tmp_path, query__a__1=picture(1), gallery__a__2=picture(1), gallery__b__3=picture(2)
    )
    pair = "folder/gallery/a/2 (gallery) and folder/query/a/1 (query)"
    assert found(root) == {"the same": (pair,)}


@pytest.mark.parametrize("split", ["query", "gallery"])
def test_names_the_same_picture_in_training_and_test(tmp_path, split):
    root = tree(tmp_path, query__a__1=picture(1), gallery__a__2=picture(2))
    tree(root, **{"train__c__1": picture(3), f"{split}__a__9": picture(3)})
    assert list(found(root)) == ["the same"]


def test_twice_in_one_split_is_no_matter(tmp_path):
    root = tree(tmp_path, train__a__1=picture(1), train__b__2=picture(1))
    assert found(root) == {}


@pytest.mark.parametrize(("camera", "count"), [("x", 0), ("y", 1)])
def test_what_the_protocol_leaves_out_does_not_count(tmp_path, camera, count):
    root = tree(tmp_path, query__a__x__1=picture(1), gallery__a__y__3=picture(3))
    tree(root, **{f"gallery__a__{camera}__2": picture(1)})
    assert len(found(root)) == count


@pytest.mark.parametrize("how", ["smaller", "coarser"])
def test_names_a_copy_that_was_saved_again(tmp_path, how):
    root = tree(tmp_path, query__a__1=picture(1), gallery__b__3=picture(2))
    if how == "smaller":
        tree(root, gallery__a__2=picture(1).resize((48, 96), Image.Resampling.LANCZOS))
    else:
        picture(1).save(root / "gallery/b/2.jpg", quality=75)
    assert list(found(root)) == ["nearly equal"]


def test_plain_pictures_are_not_alike(tmp_path):
    plain = [Image.new("RGB", (8, 16), (level, 0, 0)) for level in range(3)]
    assert fingerprint_of(plain[0])[1] == 0
    root = tree(tmp_path, query__a__1=plain[0], gallery__a__2=plain[1], train__b__3=plain[2])
    assert found(root) == {}


def test_another_shape_of_the_same_bytes_is_another_picture():
    pixels = np.zeros((4, 8, 3), np.uint8)
    one, other = (fingerprint_of(Image.fromarray(p))[0] for p in (pixels, pixels.reshape(8, 4, 3)))
    assert one != other


def test_notes_what_is_unlike_most_images(image_tree):
    root = image_tree("train/a/plain.png")
    tags = Image.Exif()
    tags[0x0112] = 6
    folder = root / "train/b"
    write_image(folder / "plain.png")
    Image.new("1", (8, 16)).save(folder / "bits.png")
    Image.new("RGB", (1, 1)).save(folder / "dot.bmp")
    Image.fromarray(np.full((16, 8), 40_000, np.uint16)).save(folder / "deep.tif")
    Image.new("RGB", (8, 16)).save(folder / "turned.jpg", exif=tags)
    problems = {p.title: p.names for p in file_problems(rows_of("folder", root), None)}
    assert {title.split(",")[0]: names for title, names in problems.items()} == {
        "images that are turned upright": ("folder/train/b/turned",),
        "images of 16 bits a channel": ("folder/train/b/deep",),
        "images of 1 bit": ("folder/train/b/bits",),
        "images that are 1 pixel wide or high": ("folder/train/b/dot",),
    }


def test_refuses_what_has_no_range_or_too_many_pixels(image_tree):
    root = image_tree("train/a/1.png")
    Image.fromarray(np.zeros((16, 8), np.float32)).save(root / "train/a/f.tif")
    Image.new("L", (40, 30)).save(root / "train/a/large.png")
    (problem,) = file_problems(rows_of("folder", root), None, max_mpx=0.001)
    assert problem.is_error
    assert "f.tif: it has floating-point values" in problem.names[0]
    assert "large.png: it has 40x30 pixels, more than the 0.001 million" in problem.names[1]
