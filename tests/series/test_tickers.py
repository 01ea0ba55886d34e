"""Named downloads of prices, against a local server that can refuse and lie."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from keras_seq.errors import UserError
from keras_seq.series import tickers
from keras_seq.series.table import read_series
from keras_seq.series.tickers import fetch_ticker, fetch_tickers

ROWS = "Date,Open,High,Low,Close,Volume\n2024-01-02,1,2,1,2,10\n"
ROWS += "2024-01-03,2,3,1,2.5,10\n"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server = self.server
        server.asked.append(self.path)
        if server.status:
            self.send_error(server.status)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(server.body) + server.missing))
        self.end_headers()
        self.wfile.write(server.body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(tickers.time, "sleep", lambda seconds: None)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.asked, server.status, server.missing = [], None, 0
        server.body = ROWS.encode()
        server.url = f"http://127.0.0.1:{server.server_port}/q?s={{symbol}}&i=d"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def test_a_share_comes_once_a_day_and_is_read_like_a_file(
    server, tmp_path: Path, capsys
):
    path = fetch_ticker("AAPL.us", tmp_path, server.url)
    assert path.read_text() == ROWS and path.name == "aapl.us.csv"
    assert fetch_ticker("aapl.us", tmp_path, server.url) == path
    assert server.asked == ["/q?s=aapl.us&i=d"]
    told = capsys.readouterr()
    assert told.out == "" and "aapl.us: 0 kB, all; no checksum proves it" in told.err
    assert read_series(path).columns == ["Close", "Open", "High", "Low", "Volume"]


def test_an_index_has_a_sign_in_its_name(server, tmp_path: Path):
    assert fetch_ticker("^spx", tmp_path, server.url).name == "_spx.csv"
    assert server.asked == ["/q?s=%5Espx&i=d"]


WRONG = {
    "no such share": ("No data", None, 0, "no prices of 'zz.us' came, but 'No data'"),
    "limit": ("Exceeded the daily hits limit", None, 0, "try again tomorrow"),
    "a page": ("<!DOCTYPE html>\n<html>", None, 0, "but '<!DOCTYPE html>'"),
    "nothing": ("", None, 0, "but 'nothing'"),
    "no rows": (ROWS.split("\n")[0] + "\n", None, 0, "'zz.us' has no row of prices"),
    "refused": (ROWS, 404, 0, "the server answered 404 Not Found"),
    "broken": (ROWS, 503, 0, "the server answered 503"),
    "cut short": (ROWS, None, 50, "cannot be downloaded"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_table_of_prices_is_said_and_not_kept(
    case: str, server, tmp_path: Path
):
    body, server.status, server.missing, message = WRONG[case]
    server.body = body.encode()
    with pytest.raises(UserError) as caught:
        fetch_ticker("zz.us", tmp_path, server.url)
    assert message in str(caught.value) and "\n" not in str(caught.value)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(server.asked) == (3 if case in ("broken", "cut short") else 1)


def test_prices_that_are_unsound_are_refused_by_row(server, tmp_path: Path):
    server.body = (ROWS + "2024-01-03,2,3,1,2.5,10\n").encode()
    path = fetch_ticker("zz.us", tmp_path, server.url)
    with pytest.raises(UserError, match="zz.us.csv:4: date 2024-01-03 stands twice"):
        read_series(path)


def test_names_are_told_from_files(server, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(tickers, "STOOQ", server.url)
    monkeypatch.setenv("KERAS_SEQ_CACHE", str(tmp_path))
    monkeypatch.setattr(fetch_ticker, "__defaults__", (None, server.url))
    found = fetch_tickers(["a.csv", "stooq:aapl.us"])
    assert found[0] == "a.csv" and Path(found[1]).read_text() == ROWS
    with pytest.raises(UserError, match="expected a symbol such as aapl.us"):
        fetch_tickers(["stooq:../../x"])
