"""Every refused image of a call has its place and its reason, so that one can go on without it."""

import io

import grpc
import numpy as np
import PIL.Image
import pytest

from tests.serving.colour_model import png_header
from tests.serving.pictures import IMAGES, expected, picture
from tests.serving.scripted_server import ScriptedServer, answer, fail, sizes
from tfreid.errors import DataError, ServingError
from tfreid.serving import RefusedImagesError, ReidClient

REFUSED = fail(grpc.StatusCode.INVALID_ARGUMENT, "Unknown image file format")


def strict(*bad: bytes, details: str = "Unknown image file format"):
    """A step that refuses requests with some of the images, as TensorFlow Serving does."""

    def step(request, context):
        if set(bad) & set(request.inputs["image_bytes"].string_val):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, details)
        return answer()(request, context)

    return step


def refused(server: ScriptedServer, images: list, **options) -> RefusedImagesError:
    """Embeds images; goes on without the refused ones, as the documents tell to."""
    with ReidClient(server.address, **options) as client:
        with pytest.raises(RefusedImagesError) as caught:
            client.embed(images)
        good = [image for place, image in enumerate(images) if place not in caught.value.reasons]
        files = [image if isinstance(image, bytes) else image.read_bytes() for image in good]
        np.testing.assert_array_equal(client.embed(good), expected(files))
    return caught.value


def as_file(kind: str) -> bytes:
    buffer = io.BytesIO()
    PIL.Image.open(io.BytesIO(IMAGES[0])).save(buffer, kind)
    return buffer.getvalue()


def test_images_that_cannot_be_decoded_are_named(tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(IMAGES[0][:-20])
    images = [*IMAGES, b"this is no image", *IMAGES, broken]
    bad = strict(images[7], broken.read_bytes())
    with ScriptedServer(*[bad] * 9) as server:
        refusal = refused(server, images, batch_size=3)
    assert list(refusal.reasons) == [7, 15]
    assert str(refusal).startswith("2 of the images cannot be described: image 7 of the list: no ")
    assert f"{broken}: damaged, or of a kind" in str(refusal)
    assert isinstance(refusal, DataError)
    assert sizes(server)[:7] == [3, 3, 3, 2, 3, 3, 1]


FAULTS = {
    "GIF": (as_file("GIF"), "a GIF file, expected JPEG, PNG or BMP"),
    "TIFF": (as_file("TIFF"), "a TIFF file, expected JPEG, PNG or BMP"),
    "WebP": (as_file("WEBP"), "a WebP file, expected JPEG, PNG or BMP"),
    "empty": (b"", "an empty file, expected JPEG, PNG or BMP"),
    "no end": (as_file("JPEG")[:-2], "damaged, or of a kind of JPEG, PNG or BMP that"),
    "no header": (as_file("JPEG")[:20], "damaged in its header"),
    "bomb": (png_header(10_000, 5_001), "10000x5001 pixels, expected at most 50 million"),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_every_kind_of_bad_file_has_its_place(kind):
    file, fault = FAULTS[kind]
    with ScriptedServer(*[strict(file)] * 9) as server:
        reasons = refused(server, [*IMAGES, file]).reasons
    assert list(reasons) == [7]
    assert reasons[7].startswith(f"image 7 of the list: {fault}")


def test_the_servers_own_reasons_have_their_places(tmp_path):
    """It may be stricter than the client: what it says counts."""
    path = tmp_path / "large.png"
    path.write_bytes(IMAGES[5])
    images = [*IMAGES[:5], path, *IMAGES[6:]]
    reason = "image_bytes[2]: 12x9 pixels, expected at most 0.1 million"
    with ScriptedServer(*[strict(IMAGES[5], details=reason)] * 9) as server:
        reasons = refused(server, images, batch_size=3).reasons
    assert reasons == {5: f"{path}: 12x9 pixels, expected at most 0.1 million"}
    assert sizes(server)[:4] == [3, 3, 2, 1]


def test_a_place_that_was_not_sent_is_no_reason():
    reason = fail(grpc.StatusCode.INVALID_ARGUMENT, "image_bytes[7]: no image file")
    with (
        ScriptedServer(*[reason] * 9) as server,
        ReidClient(server.address) as client,
        pytest.raises(ServingError, match="refuses the request"),
    ):
        client.embed(IMAGES)


def test_a_file_that_cannot_be_read_has_its_place(tmp_path, monkeypatch):
    path = tmp_path / "locked.png"
    path.write_bytes(IMAGES[0])
    read = type(path).read_bytes

    def locked(one):
        if one == path:
            raise PermissionError(13, "Permission denied", str(one))
        return read(one)

    monkeypatch.setattr(type(path), "read_bytes", locked)
    with ScriptedServer() as server:
        reasons = refused(server, [*IMAGES, path]).reasons
    assert reasons == {7: f"{path}: cannot be read (Permission denied)"}


def test_many_bad_images_are_counted():
    garbage = [b"%d" % number for number in range(8)]
    with (
        ScriptedServer(REFUSED) as server,
        ReidClient(server.address) as client,
        pytest.raises(RefusedImagesError, match=r"^8 of the images .* and 3 more$"),
    ):
        client.embed(garbage)


def test_a_message_that_is_too_large_for_the_server():
    large = picture(1, (200, 200))
    with ScriptedServer(options=(("grpc.max_receive_message_length", 2**16),)) as server:
        with (
            ReidClient(server.address) as client,
            pytest.raises(ServingError, match=r"takes no more: .*larger than max"),
        ):
            client.embed([large, *IMAGES])
        reasons = refused(server, [large, *IMAGES], max_request_mib=2**-5).reasons
    assert list(reasons) == [0]
    assert "larger than max" in reasons[0]
