"""From the bytes of an image file to its pixels, in the exported graph."""

import tensorflow as tf

from tfreid.datasets.files import DECODED_FORMATS, MAX_IMAGE_MPX
from tfreid.inputs import decode_image
from tfreid.serving.orientation import upright

JPEG, PNG, BMP = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM"
"""What the files of each format begin with."""

PNG_SIZE, BMP_SIZE = 16, 18
"""Where a PNG or BMP file has its width and, four bytes on, its height."""

_HEADER_BYTES = 50
_BMP_PIXELS, _BMP_INFO, _BMP_BITS, _BMP_COMPRESSION, _BMP_COLOURS = 10, 14, 28, 30, 46
_MOST_COLOURS = 256
_INFO_BYTES = (40, 52, 56, 64, 108, 124)  # of the headers with fields where TensorFlow looks


def decode_upright(file: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """Decodes an image file and turns it upright.

    In a graph, a file of another format or with too many pixels fails as InvalidArgument before
    its picture is decoded.

    Args:
      file: string scalar, the bytes of a JPEG, PNG or BMP file.
      orientation: int32 scalar, as `orientations` tells it.

    Returns:
      RGB, uint8 `[height, width, 3]`.
    """
    header = tf.io.decode_raw(file[None], tf.uint8, fixed_length=_HEADER_BYTES)[0]
    header = tf.cast(header, tf.int64)
    is_jpeg, is_png, is_bmp = (
        tf.reduce_all(header[: len(magic)] == list(magic)) for magic in (JPEG, PNG, BMP)
    )
    is_known = is_jpeg | is_png | (is_bmp & _is_plain_bmp(header))
    other = f"no {DECODED_FORMATS} file; a BMP must be uncompressed, with 8, 24 or 32 bits a pixel"
    with tf.control_dependencies([tf.debugging.Assert(is_known, [other])]):
        size_px = tf.cond(
            is_jpeg,
            lambda: tf.image.extract_jpeg_shape(file, tf.int64)[:2],
            lambda: tf.where(is_png, _png_size(header), _bmp_size(header)),
        )
    is_small = tf.reduce_prod(tf.cast(size_px, tf.float64)) <= MAX_IMAGE_MPX * 1e6
    large = f"an image has more than {MAX_IMAGE_MPX:g} million pixels; its height and width:"
    with tf.control_dependencies([tf.debugging.Assert(is_small, [large, size_px])]):
        file = tf.cond(is_bmp, lambda: _whole_bmp(file, header), lambda: tf.identity(file))
        image = decode_image(file)
    has_palette = is_bmp & (header[_BMP_BITS] == 8)
    image = tf.cond(has_palette, lambda: _colours(image, file, header), lambda: image)
    return tf.ensure_shape(upright(image, orientation), (None, None, 3))


def _is_plain_bmp(header: tf.Tensor) -> tf.Tensor:
    """Whether TensorFlow reads a BMP file as it is meant; of others it makes other pictures."""
    is_new = tf.reduce_any(_number(header, _BMP_INFO) == _INFO_BYTES)
    has_bytes = tf.reduce_any(header[_BMP_BITS] == [8, 24, 32]) & (header[_BMP_BITS + 1] == 0)
    told = _number(header, _BMP_COLOURS)
    most = (told >= 0) & (told <= _MOST_COLOURS)
    palette = tf.where(header[_BMP_BITS] == 8, 4 * _colours_of(header), 0)
    before = _BMP_INFO + _number(header, _BMP_INFO) + palette
    is_behind = _number(header, _BMP_PIXELS) >= before
    has_palette = ((header[_BMP_BITS] != 8) | most) & is_behind
    return is_new & has_bytes & has_palette & (_number(header, _BMP_COMPRESSION) == 0)


def _colours_of(header: tf.Tensor) -> tf.Tensor:
    """Returns the colours of a BMP file's palette; 0 in the header stands for all."""
    told = _number(header, _BMP_COLOURS)
    return tf.where(told == 0, tf.cast(_MOST_COLOURS, told.dtype), told)


def _whole_bmp(file: tf.Tensor, header: tf.Tensor) -> tf.Tensor:
    """Cuts off what follows the picture, which some programs write and TensorFlow refuses."""
    height, width = tf.unstack(_bmp_size(header))
    row = (width * header[_BMP_BITS] + 31) // 32 * 4  # Rows fill up four bytes.
    end = tf.cast(_number(header, _BMP_PIXELS), tf.int64) + row * height
    length = tf.cast(tf.strings.length(file), tf.int64)
    return tf.strings.substr(file, 0, tf.cast(tf.minimum(end, length), tf.int32))


def _colours(image: tf.Tensor, file: tf.Tensor, header: tf.Tensor) -> tf.Tensor:
    """Looks up the palette of a BMP file, which TensorFlow's decoder takes for shades of grey."""
    place = tf.cast(_BMP_INFO + _number(header, _BMP_INFO), tf.int32)
    place = tf.minimum(place, tf.strings.length(file))
    raw = tf.strings.substr(file[None], place, 4 * tf.cast(_colours_of(header), tf.int32))
    palette = tf.io.decode_raw(raw, tf.uint8, fixed_length=4 * _MOST_COLOURS)
    palette = tf.reshape(palette, (_MOST_COLOURS, 4))
    return tf.gather(palette[:, 2::-1], tf.cast(image[..., 0], tf.int32))


def _png_size(header: tf.Tensor) -> tf.Tensor:
    """Returns height, width; the highest byte comes first."""
    parts = tf.reshape(header[PNG_SIZE : PNG_SIZE + 8], (2, 4))
    return tf.reverse(tf.reduce_sum(parts * [1 << 24, 1 << 16, 1 << 8, 1], axis=1), [0])


def _bmp_size(header: tf.Tensor) -> tf.Tensor:
    """Returns height, width; a negative height says that the rows lie the other way up."""
    return tf.abs(tf.stack([_number(header, BMP_SIZE + 4), _number(header, BMP_SIZE)]))


def _number(header: tf.Tensor, place: int) -> tf.Tensor:
    """Reads 32 bits with a sign, the lowest byte first."""
    value = tf.reduce_sum(header[place : place + 4] * [1, 1 << 8, 1 << 16, 1 << 24])
    return tf.where(value < 1 << 31, value, value - (1 << 32))
