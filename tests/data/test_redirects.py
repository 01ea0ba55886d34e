"""Redirects and sizes that a server announces: safe, or one line."""

import email.message
import io
import urllib.request

import pytest

from keras_seq.data.download import _SafeRedirects, content_length
from keras_seq.errors import UserError


@pytest.mark.parametrize(
    ("before", "after", "is_safe"),
    [
        ("https://a.org/x", "https://b.org/x", True),
        ("http://a.org/x", "https://a.org/x", True),
        ("http://a.org/x", "http://b.org/x", True),
        ("https://a.org/x", "http://a.org/x", False),
        ("https://a.org/x", "ftp://a.org/x", False),
        ("http://a.org/x", "FTP://a.org/x", False),
        ("https://a.org/x", "FILE:///a/b", False),
    ],
)
def test_a_redirect_is_as_safe_as_its_address(before: str, after: str, is_safe: bool):
    request = urllib.request.Request(before)
    asked = (request, io.BytesIO(), 302, "Found", email.message.Message(), after)
    if is_safe:
        assert _SafeRedirects().redirect_request(*asked).full_url == after
        return
    with pytest.raises(UserError, match=f"{before}: the server redirects to {after}"):
        _SafeRedirects().redirect_request(*asked)


@pytest.mark.parametrize("length", ["many", "-1", "1e3", "", "٣"])
def test_a_size_that_is_no_number_is_one_line(length: str):
    class Answer:
        headers = {"Content-Length": length}

    with pytest.raises(UserError, match="a.bin: the server's Content-Length is"):
        content_length("http://a.org/a.bin", Answer())
