import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tfreid.datasets import rows_of
from tfreid.errors import UsageError
from tfreid.synthetic import generate as generator
from tfreid.synthetic import plan
from tfreid.synthetic.contact_sheet import draw_contact_sheet
from tfreid.synthetic.drawing.camera import draw_camera
from tfreid.synthetic.drawing.scene import HEIGHT, SCALE, WIDTH, Scene
from tfreid.synthetic.drawing.shot import STEPS_ASIDE, take
from tfreid.synthetic.generate import Parameters, generate
from tfreid.synthetic.world import NUM_PLACES, Stream, World, seeded

TINY = Parameters(persons=2, cameras=2, seed=3, lip_images=4, backgrounds=2, occluded_persons=1)


@pytest.fixture(scope="module")
def generated(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("generator") / "tiny"
    generate(out, TINY)
    return out


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its path there."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_readers_read_it(generated):
    rows = rows_of("synthetic", generated)
    persons = {
        split: {r.person_id for r in rows if r.split == split} for split in ("train", "query")
    }
    assert persons == {"train": {2, 4}, "query": {1, 3}}
    assert {r.person_id for r in rows if r.split == "gallery"} == {-1, 0, 1, 3}
    assert {r.camera_id for r in rows} == {1, 2}
    assert [r.split for r in rows_of("lip", generated / "lip")].count("val") == 1
    for query in (r for r in rows if r.split == "query"):
        matches = [r for r in rows if r.split == "gallery" and r.person_id == query.person_id]
        assert any(match.camera_id != query.camera_id for match in matches)


def test_images_and_masks_have_the_stated_form(generated):
    for row in rows_of("synthetic", generated):
        image, mask = Image.open(row.image_path), Image.open(row.mask_path)
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (64, 128))
        assert (mask.format, mask.mode, mask.size) == ("PNG", "L", (64, 128))
        assert np.asarray(mask).max() < 20
    train = [r for r in rows_of("synthetic", generated) if r.split == "train"]
    shares = [np.mean(np.asarray(Image.open(row.mask_path)) > 0) for row in train]
    assert 0.1 < np.mean(shares) < 0.5


def test_writes_backgrounds_and_occluded_images(generated):
    assert {Image.open(f).size for f in (generated / "backgrounds").iterdir()} == {(256, 192)}
    for folder in ("occluded_body_images", "whole_body_images"):
        names = [p.name for p in sorted((generated / "occluded_reid" / folder / "001").iterdir())]
        assert names == [f"001_0{number}.jpg" for number in range(1, 6)]


@pytest.mark.parametrize("name", ["persons", "lip_images", "backgrounds", "occluded_persons"])
def test_absurd_numbers_are_refused(name):
    with pytest.raises(UsageError, match=f"{name} is 1000000000: expected at most 100000"):
        Parameters(**{name: 1_000_000_000})


def test_describes_itself(generated):
    described = json.loads((generated / "synthetic.json").read_text())
    assert described["synthetic"] is True
    assert Parameters(**described["parameters"]) == TINY
    for folder, count in described["images"].items():
        assert len(list((generated / folder).rglob("*.jpg"))) == count


@pytest.mark.slow
def test_bytes_depend_on_the_parameters_alone(generated, tmp_path):
    counted = []
    generate(tmp_path / "again", TINY, workers=2, advance=counted.append)
    expected = contents(generated)
    assert contents(tmp_path / "again") == expected
    assert sum(counted) == len(generator.items_of(TINY))


def test_a_shot_does_not_depend_on_what_else_is_drawn():
    larger = replace(TINY, lip_images=6, backgrounds=3)
    assert set(generator.items_of(TINY)[:5]) <= set(generator.items_of(larger))


def test_another_seed_draws_other_persons():
    assert World(1, 2, 0.85).look(5) != World(2, 2, 0.85).look(5)
    assert World(1, 2, 0.85).look(5) == World(1, 2, 0.5).look(5)


def test_keeps_a_complete_folder_and_refuses_others(generated, tmp_path):
    before = contents(generated)
    assert generate(generated, TINY)["synthetic"] is True
    assert contents(generated) == before
    with pytest.raises(UsageError, match="seed 3 instead of 4: remove it or choose"):
        generate(generated, replace(TINY, seed=4))
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(UsageError, match="not a synthetic data set"):
        generate(tmp_path, TINY)
    assert (tmp_path / "mine.txt").read_text() == "keep"


def test_leaves_nothing_when_it_fails(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("disk")

    monkeypatch.setattr(generator, "_write_lip_lists", fail)
    monkeypatch.setattr(generator, "_draw_all", lambda *_: None)
    with pytest.raises(OSError, match="disk"):
        generate(tmp_path / "out", TINY)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("persons", 0), ("cameras", 1), ("scenery_link", 1.5), ("seed", -1), ("camera_style", 2)],
)
def test_refuses_impossible_parameters(name, value):
    with pytest.raises(UsageError, match=name):
        replace(TINY, **{name: value})


def test_every_camera_sees_places_and_neighbours_see_the_same():
    world = World(seed=0, num_cameras=6, scenery_link=0.85)
    seen = [{p for p in range(NUM_PLACES) if world.sees(camera, p)} for camera in range(6)]
    assert all(len(places) >= NUM_PLACES // 2 for places in seen)
    assert len(seen[0] & seen[1]) > len(seen[0] & seen[3])


def test_persons_are_mostly_at_their_homes():
    world = World(seed=0, num_cameras=6, scenery_link=0.85)
    at_home = []
    for person in range(150):
        habit, rng = world.habit(person), np.random.default_rng(person)
        assert 3 <= len(habit.cameras) <= 6
        at_home += [world.whereabouts(habit, c, rng) in habit.homes for c in habit.cameras]
    assert 0.8 < np.mean(at_home) < 0.95


def test_contact_sheet_puts_images_beside_masks(generated):
    rows = rows_of("synthetic", generated)
    sheet = np.asarray(draw_contact_sheet(rows[:1]))
    image = np.asarray(Image.open(rows[0].image_path))
    np.testing.assert_array_equal(sheet[4:132, 4:68], image)
    is_background = np.asarray(Image.open(rows[0].mask_path)) == 0
    np.testing.assert_array_equal((sheet[4:132, 68:132] == (24, 24, 28)).all(-1), is_background)


def test_a_disk_without_room_is_named_first(tmp_path, full_disk):
    with pytest.raises(UsageError, match=r"the images take about .* MiB in .*, and .* are free"):
        generate(tmp_path / "out", Parameters())
    assert not list(tmp_path.iterdir())


def test_folders_that_were_drawn_before_a_flag_are_kept(generated):
    described = json.loads((generated / "synthetic.json").read_text())
    for name in ("camera_style", "shared_scenery"):
        del described["parameters"][name]
    del described["checksum"]
    older = generated.parent / "older"
    older.mkdir()
    (older / "synthetic.json").write_text(json.dumps(described))
    assert generator.is_generated(older, TINY)
    with pytest.raises(UsageError, match="camera_style 1 instead of 0"):
        generator.is_generated(older, replace(TINY, camera_style=0))


def test_new_flags_leave_the_default_world_as_it_was():
    """Names, places and persons as drawn before there were `camera_style` and `shared_scenery`."""
    shots = list(plan.market_shots(World(0, 6, 0.9), 100))
    assert {shot.spot for shot in shots} == {None}
    words = [(s.image, s.camera, s.place, s.person, s.seed, s.alignment) for s in shots]
    assert hashlib.sha256(repr(words).encode()).hexdigest()[:16] == "3019dcd64bd65932"


def test_shared_scenery_is_one_spot_of_one_place_in_a_passage_and_for_every_camera():
    world = World(0, 6, 0.9, shared_scenery=True)
    assert all(world.sees(camera, place) for camera in range(6) for place in range(NUM_PLACES))
    shots = list(plan.market_shots(world, 20))
    passages, spots = {}, {}
    for shot in shots:
        if "/0000" not in shot.image and "/-1" not in shot.image:
            passages.setdefault((shot.person, shot.camera), set()).add(shot.place)
            spots.setdefault((shot.person, shot.place), set()).add(shot.spot)
    assert {len(places) for places in passages.values()} == {1}
    assert {len(found) for found in spots.values()} == {1}
    assert len(set.union(*spots.values())) == len(spots)
    at_home = [places == {world.habit(p).homes[0]} for (p, _), places in passages.items()]
    assert 0.8 < np.mean(at_home) < 1


def test_crops_show_the_surroundings_of_the_spot():
    """In a scene whose brightness says where one is."""
    ramp = np.broadcast_to(np.linspace(0, 255, WIDTH * SCALE), (HEIGHT * SCALE, WIDTH * SCALE))
    scene = Scene(Image.fromarray(ramp.astype(np.uint8)).convert("RGB"), 140.0)
    (camera,) = {*World(0, 2, 0.9, camera_style=0).cameras}
    plain = replace(camera, gains=(1.0, 1.0, 1.0), gamma=1.0, haze=0.0, noise=0.0)

    def middle(spot, seed):
        rng = np.random.default_rng(seed)
        crop = np.asarray(take(scene, plain, None, rng, "none", "detected", spot)[0], float)
        return np.median(crop[:, 28:36]) / 255 * WIDTH

    for spot in (0.25, 0.75):
        seen = [middle(spot, seed) for seed in range(12)]
        assert np.ptp(seen) > STEPS_ASIDE / 2
        # A crop is about 55 units wide, and exposure changes from image to image.
        assert abs(np.median(seen) - (spot * (WIDTH - 55) + 27)) < STEPS_ASIDE
    assert np.ptp([middle(None, seed) for seed in range(12)]) > WIDTH / 3


def test_cameras_without_style_differ_in_place_only():
    world = World(seed=0, num_cameras=4, scenery_link=0.9, camera_style=0)
    scene = world.scene(0, 0)
    pictures = [
        np.asarray(take(scene, camera, world.look(1), np.random.default_rng(7))[0])
        for camera in world.cameras
    ]
    assert len({picture.tobytes() for picture in pictures}) == 1
    assert world.sees(0, 0) != world.sees(2, 0) or world.sees(0, 20) != world.sees(2, 20)
    views = [np.asarray(world.scene(camera, 0).image, float) for camera in (0, 1)]
    assert np.abs(views[0] - views[1]).mean() > 5


def test_cameras_have_a_style_of_their_own_unless_told_otherwise():
    world = TINY.world
    hues = 2 * np.pi * np.arange(TINY.cameras) / TINY.cameras
    drawn = [draw_camera(seeded(3, Stream.CAMERA, i), hue) for i, hue in enumerate(hues)]
    assert list(world.cameras) == drawn
    assert replace(TINY, camera_style=0).world.cameras[0] not in drawn
