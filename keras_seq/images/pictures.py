"""Picture files as graph ops: JPEG and PNG of any size and colour mode to pixels.

Sizes are read before anything is decoded, so that a file of few bytes cannot fill the
memory. It needs no model.

Shapes: B batch, H and W of the answer.
"""

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import tensorflow as tf

from keras_seq.data.places import error_at
from keras_seq.images.orientation import exif_orientation, turned

MOST_PIXELS = 1 << 26  # 200 MB of colours
AT_ONCE = 32  # files
MOST_CHUNKS = 64  # of a PNG file, in front of its pixels
JPEG, PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
# What other files begin with, and what they are.
OTHERS = {
    b"GIF8": "a GIF, which may move",
    b"RIFF": "a WebP, or no picture",
    b"BM": "a BMP",
    b"II*\0": "a TIFF",
    b"MM\0*": "a TIFF",
    b"%PDF": "a PDF",
    b"<svg": "an SVG",
}
ADVICE = "save it as JPEG or PNG"


def decode_pictures(image: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """Pixels of picture files, the right way up, all of one size.

    A picture is scaled to the size as a whole, whatever its shape: what stands at its
    edge is seen, too. Grey becomes RGB, and what is transparent lies on white.

    Args:
        image: string (B,), bytes of files.
        height: H.
        width: W.

    Returns:
        float32 (B, H, W, 3), whole numbers from 0 to 255.

    Raises:
        tf.errors.InvalidArgumentError: A file is no picture, moves, is damaged or too
            large; the message says which and why.

    Example:

    >>> red = tf.io.encode_png(tf.constant([[[255, 0, 0]]], tf.uint8))
    >>> decode_pictures(red[None], 2, 2)[0, 1, 1].numpy().tolist()
    [255.0, 0.0, 0.0]
    """
    nothing = tf.zeros([height, width, 3])

    def one(content: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        problem = picture_problem(content)
        decoded = functools.partial(_decoded, content, height, width)
        return tf.cond(problem == "", decoded, lambda: nothing), problem

    spec = tf.TensorSpec(nothing.shape, tf.float32)
    pixels, problems = tf.map_fn(one, image, fn_output_signature=(spec, tf.string))
    number = tf.strings.as_string(tf.range(tf.shape(image)[0]))
    messages = tf.strings.join(["image ", number, ": ", problems])
    messages = tf.boolean_mask(messages, problems != "")
    check = tf.debugging.Assert(
        tf.size(messages) == 0, [tf.strings.reduce_join(messages[:3], separator="; ")]
    )
    with tf.control_dependencies([] if check is None else [check]):
        return tf.identity(pixels)


def picture_problem(content: tf.Tensor) -> tf.Tensor:
    """Why a file cannot be read, by its header alone, or "": string ().

    Example:

    >>> picture_problem(tf.constant(b"GIF89a")).numpy()
    b'a GIF, which may move; save it as JPEG or PNG'
    """

    def png_problem() -> tf.Tensor:
        problem = _size_problem(_png_size(content))
        animated = tf.constant(f"a PNG that moves; {ADVICE}, one picture of it")
        return tf.where((problem == "") & _is_animated(content), animated, problem)

    known = [
        (_starts(content, start), functools.partial(tf.constant, f"{what}; {ADVICE}"))
        for start, what in OTHERS.items()
    ]
    return tf.case(
        [
            (_starts(content, JPEG), lambda: _size_problem(_jpeg_size(content))),
            (_starts(content, PNG), png_problem),
            (tf.strings.length(content) == 0, lambda: tf.constant("is empty")),
            *known,
        ],
        default=lambda: tf.constant(f"no picture that is known; {ADVICE}"),
    )


def _starts(content: tf.Tensor, start: bytes) -> tf.Tensor:
    return tf.strings.substr(content, 0, len(start)) == start


def _jpeg_size(content: tf.Tensor) -> tf.Tensor:
    """Height and width, int64 (2,)."""
    return tf.cast(tf.io.extract_jpeg_shape(content)[:2], tf.int64)


def _png_size(content: tf.Tensor) -> tf.Tensor:
    """Height and width, int64 (2,); zeros where the header is cut short."""
    header = tf.strings.join([tf.strings.substr(content, 0, 24), b"\0" * 24])
    bytes_ = tf.cast(tf.io.decode_raw(header, tf.uint8)[16:24], tf.int64)
    width, height = tf.unstack(
        tf.reduce_sum(tf.reshape(bytes_, [2, 4]) * [1 << 24, 1 << 16, 256, 1], axis=1)
    )
    return tf.stack([height, width])


def _size_problem(size: tf.Tensor) -> tf.Tensor:
    pixels = tf.reduce_prod(size)
    too_many = tf.strings.join(
        [
            tf.strings.as_string(size[1]),
            " x ",
            tf.strings.as_string(size[0]),
            f" pixels; at most {MOST_PIXELS / 1e6:.0f} million are read: make it "
            "smaller",
        ]
    )
    return tf.case(
        [
            (pixels <= 0, lambda: tf.constant("its header is damaged")),
            (pixels > MOST_PIXELS, lambda: too_many),
        ],
        default=lambda: tf.constant(""),
    )


def _is_animated(content: tf.Tensor) -> tf.Tensor:
    """Whether a chunk acTL stands before a PNG's pixels, as animations have one."""
    size = tf.strings.length(content)

    def header(place: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Length and kind of the chunk at a place."""
        eight = tf.strings.substr(content, place, 8)
        length = tf.io.decode_raw(tf.strings.substr(eight, 0, 4), tf.uint8)
        number = tf.cast(length, tf.int64) * [1 << 24, 1 << 16, 256, 1]
        return tf.reduce_sum(number), tf.strings.substr(eight, 4, 4)

    def goes_on(place: tf.Tensor, found: tf.Tensor) -> tf.Tensor:
        return ~found & (place + 12 <= size)

    def step(place: tf.Tensor, found: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        length, kind = header(place)
        after = tf.minimum(tf.cast(place, tf.int64) + 12 + length, tf.int32.max - 12)
        after = tf.where(kind == "IDAT", tf.int32.max - 12, tf.cast(after, tf.int32))
        return after, kind == "acTL"

    start = tf.constant(len(PNG)), tf.constant(False)
    return tf.while_loop(goes_on, step, start, maximum_iterations=MOST_CHUNKS)[1]


def _decoded(content: tf.Tensor, height: int, width: int) -> tf.Tensor:
    picture = tf.cond(
        _starts(content, JPEG),
        lambda: _jpeg(content, height, width),
        lambda: _on_white(tf.io.decode_png(content, channels=4)),
    )
    scaled = tf.image.resize(picture, [height, width], antialias=True)
    return tf.clip_by_value(tf.round(scaled), 0.0, 255.0)


def _jpeg(content: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """Decoded at a half, a quarter or an eighth of a size that is far too large."""
    # Which side is which depends on how the picture is turned: both are compared.
    smallest, largest = tf.reduce_min(_jpeg_size(content)), max(height, width)
    step = tf.add_n([tf.cast(smallest >= 2 * r * largest, tf.int32) for r in (2, 4, 8)])

    def at(ratio: int) -> Callable[[], tf.Tensor]:
        return lambda: tf.io.decode_jpeg(content, channels=3, ratio=ratio)

    picture = tf.switch_case(step, [at(ratio) for ratio in (1, 2, 4, 8)])
    return tf.cast(turned(picture, exif_orientation(content)), tf.float32)


def _on_white(picture: tf.Tensor) -> tf.Tensor:
    picture = tf.cast(picture, tf.float32)
    opacity = picture[..., 3:] / 255
    return picture[..., :3] * opacity + 255 * (1 - opacity)


def read_pixels(
    files: Iterable[tuple[str, bytes]], height: int, width: int
) -> Iterator[np.ndarray]:
    """Pixels of files, by the same operations, a few at a time.

    Args:
        files: how to name each in a message, and its bytes.
        height: H.
        width: W.

    Yields:
        uint8 (H, W, 3).

    Raises:
        UserError: A file is no picture; the line names it and says what it is.
    """
    decode, files = _traced(height, width), iter(files)
    while some := list(itertools.islice(files, AT_ONCE)):
        try:
            pixels = decode(tf.constant([content for _, content in some])).numpy()
        except tf.errors.OpError:
            _name_broken(some, decode)
            raise
        yield from pixels.astype(np.uint8)


def _name_broken(
    files: Sequence[tuple[str, bytes]], decode: Callable[[tf.Tensor], tf.Tensor]
) -> None:
    """Raises UserError for the first file that cannot be decoded."""
    for place, content in files:
        try:
            decode(tf.constant([content]))
        except tf.errors.OpError as error:
            raise error_at(place, _reason(error)) from error


def _reason(error: tf.errors.OpError) -> str:
    """What the graph says of a file, or that its pixels are damaged."""
    text = str(error.message)
    _, found, said = text.partition("image 0: ")
    if not found:
        return "a picture that is damaged or cut short; restore it, or leave it out"
    return said.partition("'")[0].partition('"')[0].partition("\n")[0].rstrip("]")


@functools.lru_cache(8)
def _traced(height: int, width: int) -> Callable[[tf.Tensor], tf.Tensor]:
    return tf.function(
        lambda image: decode_pictures(image, height, width),
        input_signature=[tf.TensorSpec([None], tf.string)],
    )
