"""Which way up a photograph is: the orientation that its camera wrote into EXIF.

TensorFlow decodes the pixels as they are stored, and cameras store them as the sensor
lies. Graph operations, so that a served model turns pictures as the training did.
"""

import tensorflow as tf

TAG = 0x0112
MOST_SEGMENTS, MOST_TAGS = 64, 512
HEAD = 1 << 18  # bytes; what follows holds no EXIF
_START_OF_SCAN, _APP1 = 0xDA, 0xE1
_EXIF = [69, 120, 105, 102, 0, 0]  # b"Exif\0\0"


def exif_orientation(content: tf.Tensor) -> tf.Tensor:
    """The orientation of a JPEG file, by its APP1 segment.

    Args:
        content: string (), the bytes of a file.

    Returns:
        int32 (), from 1 (as it is) to 8; 1 where the file says nothing that is valid.

    Example:

    >>> int(exif_orientation(tf.constant(b"no picture")))
    1
    """
    head = tf.strings.substr(content, 0, HEAD)
    # Behind the end stand zeros, so that no header is cut off while it is read.
    bytes_ = tf.concat(
        [tf.cast(tf.io.decode_raw(head, tf.uint8), tf.int64), tf.zeros([64], tf.int64)],
        axis=0,
    )
    size = tf.size(bytes_, out_type=tf.int64) - 64

    def at(places: tf.Tensor) -> tf.Tensor:
        return tf.gather(bytes_, tf.clip_by_value(places, 0, size + 63))

    def step(place: tf.Tensor, found: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        words = at(place + 4 + tf.range(6, dtype=tf.int64))
        is_exif = (at(place + 1) == _APP1) & tf.reduce_all(words == _EXIF)
        length = at(place + 2) * 256 + at(place + 3)
        return place + 2 + length, tf.where(is_exif, place + 10, found)

    def goes_on(place: tf.Tensor, found: tf.Tensor) -> tf.Tensor:
        is_marker = (at(place) == 0xFF) & (at(place + 1) != _START_OF_SCAN)
        return (found < 0) & is_marker & (place + 4 < size)

    none = tf.constant(-1, tf.int64)
    _, start = tf.while_loop(
        goes_on,
        step,
        (tf.constant(2, tf.int64), none),
        maximum_iterations=MOST_SEGMENTS,
    )
    start = tf.where(at(tf.constant(0, tf.int64)) == 0xFF, start, none)
    is_big = at(start) == ord("M")  # Motorola's order of bytes, or Intel's

    def number(places: tf.Tensor, width: int) -> tf.Tensor:
        each = [at(places + step) for step in range(width)]
        big = sum(byte * 256 ** (width - 1 - n) for n, byte in enumerate(each))
        little = sum(byte * 256**n for n, byte in enumerate(each))
        return tf.where(is_big, big, little)

    table = start + number(start + 4, 4)
    count = tf.minimum(number(table, 2), MOST_TAGS)
    entries = table + 2 + 12 * tf.range(count)
    values = number(entries + 8, 2)
    is_valid = (number(entries, 2) == TAG) & (values >= 1) & (values <= 8)
    valid = tf.boolean_mask(values, is_valid & (entries + 12 <= size))
    first = tf.concat([valid, [1]], axis=0)[0]
    return tf.cast(tf.where(start >= 0, first, 1), tf.int32)


def turned(picture: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """A picture the right way up.

    Args:
        picture: (H, W, C), as it is stored.
        orientation: int32 (), from 1 to 8.

    Returns:
        (H, W, C), or (W, H, C) of orientations 5 to 8.

    Example:

    >>> picture = tf.reshape(tf.range(6), [2, 3, 1])
    >>> turned(picture, tf.constant(6))[..., 0].numpy().tolist()
    [[3, 0], [4, 1], [5, 2]]
    """
    is_across = orientation >= 5
    picture = tf.cond(
        is_across, lambda: tf.transpose(picture, [1, 0, 2]), lambda: picture
    )
    # Mirrored from left to right, from top to bottom: of stored, or of swapped axes.
    right = tf.gather([0, 0, 1, 1, 0, 0, 1, 1, 0], orientation) == 1
    down = tf.gather([0, 0, 0, 1, 1, 0, 0, 1, 1], orientation) == 1
    picture = tf.cond(right, lambda: tf.reverse(picture, [1]), lambda: picture)
    return tf.cond(down, lambda: tf.reverse(picture, [0]), lambda: picture)
