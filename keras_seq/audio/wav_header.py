"""How much sound the header of a WAV file promises, and how much there is.

A programme that writes to a pipe cannot go back to its header: such a file promises
nothing, or more than any file holds, and is read to its end. One that promises more
than there is has been cut short.
"""

import struct

MOST_CHUNKS = 100  # of a file, in front of its sound
ENDLESS = 0x7FFF0000  # lengths from here on mean that the length was not known


def mended_wav(content: bytes) -> tuple[bytes, str | None]:
    """A WAV file whose header says how much there is, and what is wrong with it.

    Args:
        content: the bytes of a file; what is no WAV file comes back as it is.

    Returns:
        The file, and why it cannot be learnt from whole, or None.

    Example:

    >>> header = b"RIFF" + bytes(4) + b"WAVEdata"
    >>> mended_wav(header + struct.pack("<I", 8) + bytes(6))[1]
    'cut short: 6 of 8 bytes of sound are there'
    >>> mended_wav(header + bytes(4) + bytes(6))[0][16:20]
    b'\\x06\\x00\\x00\\x00'
    """
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        return content, None
    start = _data_start(content)
    if start is None:
        return content, None
    (promised,) = struct.unpack_from("<I", content, start - 4)
    there = len(content) - start
    # An empty sound of a whole file: what follows are other chunks.
    is_whole = struct.unpack_from("<I", content, 4)[0] + 8 == len(content)
    if promised == 0 and there and not is_whole or there < promised >= ENDLESS:
        return content[: start - 4] + struct.pack("<I", there) + content[start:], None
    if promised > there:
        what = f"{there:,} of {promised:,} bytes of sound are there"
        return content, f"cut short: {what}"
    return content, None


def _data_start(content: bytes) -> int | None:
    place = 12
    for _ in range(MOST_CHUNKS):
        if place + 8 > len(content):
            return None
        if content[place : place + 4] == b"data":
            return place + 8
        (size,) = struct.unpack_from("<I", content, place + 4)
        place += 8 + size + size % 2
    return None
