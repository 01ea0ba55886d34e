"""How a table is to be read, where its file leaves it open."""

import codecs
from dataclasses import dataclass

from keras_seq.errors import UserError

SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|", "space": " "}
SEPARATORS["\\t"] = "\t"  # as a shell passes it on


@dataclass(frozen=True)
class TableFormat:
    """What the options of reading a table say; by default the file is looked at.

    Args:
        separator: what stands between two columns of a text file: a character, or
            comma, semicolon, tab, pipe, space. None looks at the first rows.
        encoding: of a text file, such as cp1252, gb18030 or utf-16. None is UTF-8, or
            what a byte order mark says.
        no_header: the first row holds data; columns are named by their numbers from 1.
        drop_missing: rows without a value are left out and counted; else they are
            errors.

    Raises:
        UserError: The separator is no single character, or no such encoding is known.

    Example:

    >>> TableFormat(separator="semicolon").delimiter
    ';'
    """

    separator: str | None = None
    encoding: str | None = None
    no_header: bool = False
    drop_missing: bool = False

    def __post_init__(self) -> None:
        mark = self.delimiter
        if mark is not None and (len(mark) != 1 or mark in '"\r\n'):
            known = ", ".join(name for name in SEPARATORS if name.isalpha())
            raise UserError(
                f"--separator {self.separator!r}: expected one character, or one of "
                f"{known}"
            )
        if self.encoding is not None:
            try:
                codecs.lookup(self.encoding)
                "".encode(self.encoding)
            except (LookupError, ValueError) as error:
                raise UserError(
                    f"--encoding {self.encoding!r}: no such encoding of text; such as "
                    "utf-8, cp1252, gb18030, shift_jis, utf-16"
                ) from error

    @property
    def delimiter(self) -> str | None:
        """The character that `separator` means."""
        return SEPARATORS.get(self.separator or "", self.separator)


AS_FOUND = TableFormat()
