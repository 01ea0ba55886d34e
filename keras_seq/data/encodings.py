"""Which encoding a text is in: by its byte order mark, or by what would fit.

A mark is believed; without one a text is UTF-8 or an error, and the error names the
encoding in which the bytes make most of the usual characters.
"""

import codecs

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Characters beside ASCII that are frequent in texts of an encoding: first of alphabets
# that add letters to the Latin ones, then of other alphabets, then of some bytes each.
_LATIN = {
    "cp1252": "äöüßÄÖÜéèêëàâáãåçñíìîïóòôõøœæúùûýÉÈÀÁÂÇÑÍÓÔØÚÅÆ’‘“”„–—…•«»£€°§©®´¿¡\xa0",
    "cp1250": "áčďéěíňóřšťúůýžąćęłńśźżőűăîâşţöüäôĺŕľÁČÉĚÍŇÓŘŠŤÚŮÝŽĄĆĘŁŃŚŹŻŐŰÖÜ„”“–…",
    "cp1254": "ışğçöüİŞĞÇÖÜâîû’“”–",
}
_ALPHABETS = {
    "cp1251": "оеаинтсрвлкмдпуя",
    "koi8-r": "оеаинтсрвлкмдпуя",
    "cp1253": "αοιετνσηρπκςύίάόλμ",
    "cp1255": "יוהלארתבמשנםד",
    "cp1256": "اليمونرتبةهعد",
    "cp874": "านรอกเง่มยลว้ีัดสตแ",
}
_KANA = "".join(map(chr, range(0x3041, 0x30FF))) + "。、"
_CHINESE = "的一是不了在有人我中来上大到就要出也你得下自之年过好真很地吃，。！？"
_SEVERAL_BYTES = {
    "gb18030": _CHINESE + "个们为和国说时会可对能这那没还后么样买味帅爱",
    "big5": _CHINESE + "個們為和國說時會可對能這那沒還後麼樣買味帥愛過來",
    "shift_jis": _KANA,
    "euc_jp": _KANA,
    "euc_kr": "이다는가을에의고하지은기도리사로어나를그아한서있시대일자인해정수라만음영화너무",
}
ENOUGH = {
    "latin": 0.5,
    "alphabet": 0.4,
    "bytes": 0.15,
}  # of the characters beside ASCII


def marked_encoding(beginning: bytes) -> str | None:
    """The encoding that a byte order mark names; its codec leaves the mark out.

    Example:

    >>> marked_encoding("very good".encode("utf-16")), marked_encoding(b"very good")
    ('utf-16', None)
    """
    return next((name for mark, name in _MARKS if beginning.startswith(mark)), None)


def likely_encoding(sample: bytes) -> str | None:
    """The encoding that fits some bytes best; None where none does.

    Example:

    >>> likely_encoding("Das war schön, würde ich sagen".encode("cp1252"))
    'cp1252'
    >>> likely_encoding("这个地方真的很好".encode("gbk"))
    'gb18030'
    """
    if sample.count(0) > len(sample) // 8:  # UTF-16 of mostly ASCII, without a mark
        odd = sample[1::2].count(0) > sample[::2].count(0)
        return "utf-16-le" if odd else "utf-16-be"
    single = _is_latin(sample)
    for kind, candidates in (
        ("bytes", {} if single else _SEVERAL_BYTES),
        ("alphabet", {} if single else _ALPHABETS),
        ("latin", _LATIN),
    ):
        scores = {n: _share(sample, n, usual) for n, usual in candidates.items()}
        # The first one of equals.
        best = max(scores, key=scores.__getitem__, default="")
        if best and scores[best] >= ENOUGH[kind]:
            return best
    return None


def _is_latin(sample: bytes) -> bool:
    """Whether bytes beside ASCII mostly stand alone, as letters with accents do."""
    high = [byte >= 0x80 for byte in sample]
    pairs = sum(one and other for one, other in zip(high, high[1:]))
    return pairs < 0.4 * sum(high)


def _share(sample: bytes, encoding: str, usual: str) -> float:
    """The share of characters beside ASCII that are usual ones, 0 if they are none."""
    try:
        # What was cut at the end is no fault of the encoding.
        text = codecs.getincrementaldecoder(encoding)().decode(sample)
    except UnicodeDecodeError:
        return 0.0
    found = [c for c in text if not c.isascii()]
    return sum(c in usual for c in found) / len(found) if found else 0.0
