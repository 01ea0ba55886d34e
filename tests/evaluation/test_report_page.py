"""The page of a run: whole in itself, and nothing of the data can act in it."""

import html
import re
from base64 import b64decode
from typing import Any

import pytest

from keras_seq.evaluation.report_page import (
    MOST_LINES,
    image_section,
    report_page,
    sound_section,
    table_section,
    text_section,
)

NASTY = "</pre><script>alert(1)</script>\" onload='x' 一 & 🙂"
PNG = b"\x89PNG\r\n\x1a\n123"


def report(**more: Any) -> dict[str, Any]:
    return {
        "task": "tone",
        "n": 12502,
        "scores": {"accuracy": {"value": 0.9171, "low": 0.91, "high": 0.9231}},
        "baselines": {"majority": {"accuracy": 0.5}, NASTY: {"accuracy": 0.875}},
        "notes": {"majority": NASTY},
        "verdict": "wins",
        "comparison": {"sentence": f"The network wins over {NASTY}."},
        **more,
    }


def cells(page: str) -> list[str]:
    return [html.unescape(x) for x in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", page)]


def test_scores_stand_beside_their_baselines():
    page = report_page("tone: reviews", {"validation": report(n=3), "test": report()})
    assert page.index("wins") < page.index("Scores of the test part")
    assert page.index("12,502 scored") < page.index("Scores of the validation part")
    first = cells(page)
    assert first[:5] == ["", "network", "95 % interval", "majority", NASTY]
    assert first[5:10] == ["accuracy", "0.9171", "0.91 to 0.9231", "0.5", "0.875"]


def test_nothing_of_the_data_is_markup():
    sections = [
        text_section(NASTY, NASTY),
        table_section(NASTY, [NASTY], [[NASTY]]),
        image_section(NASTY, PNG),
        sound_section(NASTY, b"RIFF", NASTY),
    ]
    page = report_page(
        NASTY,
        {"test": report(by_speaker={NASTY: {"wer": 0.5}}, words=[NASTY])},
        sections=sections,
        facts={NASTY: {NASTY: NASTY}},
        command=NASTY,
    )
    assert "<script" not in page and "onload='" not in page
    assert html.unescape(page).count(NASTY) >= 14
    for tag in ("html", "body", "div", "table", "tr", "td", "pre", "figure", "details"):
        opened = len(re.findall(rf"<{tag}[ >]", page))
        assert opened == page.count(f"</{tag}>") > 0, tag


def test_marked_words_are_bold_only_where_that_is_asked_for():
    line = "0.9: **fish & <b>** (V, but N) ends **"
    bold = text_section("worst", line, has_bold=True)
    assert "0.9: <strong>fish &amp; &lt;b&gt;</strong> (V, but N) ends **<" in bold
    assert "**fish" in text_section("a text as it was written", line)


def test_pictures_stand_in_the_page_and_nothing_is_fetched():
    page = report_page("a", {"test": report()}, sections=[image_section("b", PNG)])
    (coded,) = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
    assert b64decode(coded) == PNG
    assert "default-src 'none'" in page and "://" not in page


def test_what_else_a_report_holds_is_a_table_where_it_can_be_one():
    speakers = {"ann": {"wer": 0.25, "n": 4}, "bob": {"wer": 1.0}}
    steps = {"network": {"mase": [1.0, 1.5]}, "ridge": {"mase": [2.0]}}
    page = report_page(
        "a", {"test": report(by_speaker=speakers, by_step=steps, words=2419, empty={})}
    )
    found = cells(page)
    place = found.index("wer") - 1
    assert found[place : place + 9] == "|wer|n|ann|0.25|4|bob|1|".split("|")
    assert found[found.index("network.mase") + 1] == "1, 1.5"
    assert found[found.index("words") + 1] == "2,419" and "empty" not in page


def test_a_long_list_is_cut_and_says_so():
    lines = [f"line {n}" for n in range(MOST_LINES + 7)]
    section = text_section("mistakes", "\n".join(lines))
    assert section.count("line ") == MOST_LINES and "and 7 lines more" in section
    assert table_section("t", ["a"], []).endswith("<p>none</p>")
    folded = table_section("t", ["a"], [[n] for n in range(21)])
    assert "<summary>21 rows</summary>" in folded
    assert "<summary>" not in table_section("t", ["a"], [[n] for n in range(20)])


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "none"),
        (True, "yes"),
        (0.00012346, "0.0001235"),
        (float("nan"), "nan"),
        (1234567, "1,234,567"),
        ("0", "0"),
        ([], "none"),
        ({}, "{}"),
    ],
)
def test_facts_are_written_for_people(value: object, shown: str):
    page = report_page("a", {"test": report()}, facts={"Settings": {"x": value}})
    assert cells(page)[-2:] == ["x", shown]
