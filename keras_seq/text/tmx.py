"""Translation memories (TMX 1.4): units with a segment for each language."""

from collections.abc import Iterator
from pathlib import Path
from xml.parsers import expat

from keras_seq.data.places import error_at, listed, log_once, place_of, plural
from keras_seq.data.text_files import opened

Unit = tuple[int, dict[str, str]]  # the line where it starts, text by language
# Elements within a segment that hold codes of a layout, and no text.
_CODES = {"bpt", "ept", "it", "ph", "ut"}


def read_tmx(
    path: Path, source: str | None = None, target: str | None = None
) -> Iterator[tuple[int, str, str]]:
    """The line, source and target of each unit.

    Args:
        path: plain, or gzipped.
        source: its language, such as de; default the header's `srclang`.
        target: its language; default the other one, where there are two.

    Raises:
        UserError: It is no TMX, a language is missing, or it is open which are meant.
    """
    reader = _Reader(path)
    units = reader.read()
    languages = list(dict.fromkeys(name for _, unit in units for name in unit))
    source = _named(path, languages, source or reader.source, "source")
    others = [name for name in languages if name != source]
    if target is None and len(others) == 1:
        target = others[0]
    target = _named(path, languages, target, "target")
    log_once(f"{path}: {plural(len(units), 'pair')}")
    for line, unit in units:
        yield line, unit.get(source, ""), unit.get(target, "")


def _named(path: Path, languages: list[str], asked: str | None, side: str) -> str:
    matches = [n for n in languages if asked and n.lower() == asked.lower()]
    matches = matches or [
        n for n in languages if asked and n.lower().split("-")[0] == asked.lower()
    ]
    if len(matches) != 1:
        what = f"its languages are {listed(languages)}; name one with --{side}-column"
        raise error_at(path, what)
    return matches[0]


class _Reader:
    """Gathers units while expat walks over the file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.source: str | None = None  # of the header
        self._units: list[Unit] = []
        self._language, self._codes = "", 0
        self._text: list[str] | None = None  # of a segment that is open
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        # Entities of a file's own can grow without bound.
        self._parser.EntityDeclHandler = self._refuse

    def read(self) -> list[Unit]:
        try:
            with opened(self._path) as file:
                self._parser.ParseFile(file)
        except expat.ExpatError as error:
            place = place_of(self._path, error.lineno)
            raise error_at(place, f"not sound XML: {error}") from error
        if not self._units:
            raise error_at(self._path, "holds no translation unit (tu)")
        return self._units

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "header" and attributes.get("srclang", "*all*") != "*all*":
            self.source = attributes["srclang"]
        elif name == "tu":
            self._units.append((self._parser.CurrentLineNumber, {}))
        elif name == "tuv":
            self._language = attributes.get("xml:lang") or attributes.get("lang", "")
        elif name == "seg":
            self._text, self._codes = [], 0
        elif name in _CODES:
            self._codes += 1

    def _characters(self, text: str) -> None:
        if self._text is not None and not self._codes:
            self._text.append(text)

    def _end(self, name: str) -> None:
        if name == "seg" and self._text is not None:
            if self._units:
                self._units[-1][1][self._language] = "".join(self._text)
            self._text = None
        elif name in _CODES:
            self._codes -= 1

    def _refuse(self, name: str, *_: object) -> None:
        place = place_of(self._path, self._parser.CurrentLineNumber)
        raise error_at(place, f"entity {name!r} is declared; write its text out")
