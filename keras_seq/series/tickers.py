"""Daily prices of a named share from the net, checked by what is in them.

Such a file grows by a row a day, so no checksum can prove it: it must have the columns
of prices and pass every check that a user's own file passes. It is kept for the day.
"""

import time
import urllib.parse
import urllib.request
from functools import partial
from pathlib import Path

from keras_seq.data.archives import disk_errors
from keras_seq.data.download import content_length, in_cache, open_url, tried
from keras_seq.data.in_memory import Table, as_file
from keras_seq.data.tables import error_at
from keras_seq.errors import UserError
from keras_seq.files import written_aside
from keras_seq.log import log

PREFIX = "stooq:"
STOOQ = "https://stooq.com/q/d/l/?s={symbol}&i=d"
HEADER = "Date,Open,High,Low,Close"
LARGEST = 50_000_000  # bytes: a century of days is about 2 MB
_CHUNK = 1 << 16  # bytes


def fetch_tickers(names: Table) -> list[str | Path]:
    """Downloads what is named `stooq:symbol`; files, globs and tables stay as they are.

    Example:

    >>> fetch_tickers(["AAPL.csv", "data/*.csv"])
    ['AAPL.csv', 'data/*.csv']
    """
    files = as_file(names, ["value"])
    return [
        (
            fetch_ticker(str(name).removeprefix(PREFIX))
            if str(name).startswith(PREFIX)
            else name
        )
        for name in ([files] if isinstance(files, str | Path) else files)
    ]


def fetch_ticker(
    symbol: str, cache_dir: str | Path | None = None, url: str = STOOQ
) -> Path:
    """Downloads all daily prices of a share, once a day; what fails leaves no file.

    Args:
        symbol: as Stooq writes it, such as aapl.us.
        cache_dir: folder to keep it in; by default `download.default_cache()`.
        url: address with {symbol} in it.

    Returns:
        A CSV file with the columns Date, Open, High, Low, Close and Volume.

    Raises:
        UserError: No such share, no connection, or what came is no table of prices.
    """
    symbol = symbol.strip().lower()
    if not symbol or not all(sign.isalnum() or sign in ".^-_" for sign in symbol):
        raise UserError(f"{PREFIX}{symbol}: expected a symbol such as aapl.us")
    folder = in_cache(cache_dir, "stooq")
    name = f"{symbol.replace('^', '_')}.csv"
    path = in_cache(folder, time.strftime("%Y%m%d"), name)
    address = url.format(symbol=urllib.parse.quote(symbol))
    with disk_errors(folder, LARGEST // 10):
        if path.exists():
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        content = _received(address, symbol)
        _check(address, symbol, content)
        with written_aside(path) as part:
            part.write_bytes(content)
    return path


def _received(address: str, symbol: str) -> bytes:
    try:
        return tried(partial(_one_answer, address, symbol))
    except ConnectionError as error:
        raise error_at(address, f"cannot be downloaded: {error}") from error


def _one_answer(address: str, symbol: str) -> bytes:
    request = urllib.request.Request(address, headers={"User-Agent": "keras_seq"})
    content, shown = bytearray(), 0
    with open_url(request) as answer:
        length = content_length(address, answer)
        while chunk := answer.read(_CHUNK):
            content += chunk
            if len(content) > LARGEST:
                raise error_at(address, "more than 50 MB: no table of daily prices")
            if len(content) - shown >= 4 * _CHUNK:
                shown = len(content)
                log.info(f"{symbol}: {shown // 1000} kB")
        if length is not None and len(content) < length:
            raise ConnectionError("the connection closed early")
    log.info(f"{symbol}: {len(content) // 1000} kB, all; no checksum proves it")
    return bytes(content)


def _check(address: str, symbol: str, content: bytes) -> None:
    lines = content[:200].decode("utf-8", "replace").lstrip("\ufeff").splitlines()
    first = lines[0].strip() if lines else ""
    if not first.startswith(HEADER):
        came = first[:80] or "nothing"
        raise error_at(
            address,
            f"no prices of {symbol!r} came, but {came!r}; look the symbol up at "
            "stooq.com (US shares end in .us), or try again tomorrow",
        )
    if content.count(b"\n") < 2:
        raise error_at(address, f"{symbol!r} has no row of prices")
