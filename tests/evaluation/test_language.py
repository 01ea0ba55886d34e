"""Perplexity and its verdict, on numbers worked out by hand; copies counted."""

import numpy as np
import pytest

from keras_seq.errors import UserError
from keras_seq.evaluation.fitted import load_fitted, save_fitted
from keras_seq.evaluation.language import (
    copied_share,
    format_language_report,
    language_report,
    longest_copy,
)
from keras_seq.tasks.text_generation import scores as language_model
from keras_seq.tasks.text_generation.scores import copies, score_language_model
from keras_seq.text.kneser_ney import KneserNey

HALF, TENTH = np.log(np.full(1000, 0.5)), np.log(np.full(1000, 0.1))


def test_perplexity_is_exp_of_total_over_tokens():
    mixed = np.log(np.concatenate([np.full(600, 0.5), np.full(400, 0.125)]))
    report = language_report("t", mixed, {"unigram": TENTH}, characters=2000)
    nats = (600 * 1 + 400 * 3) / 1000 * np.log(2)
    scores = {name: score["value"] for name, score in report["scores"].items()}
    assert scores["cross_entropy"] == pytest.approx(nats)
    assert scores["perplexity"] == pytest.approx(np.exp(nats))
    assert scores["bits_per_character"] == pytest.approx(1.8 / 2)
    assert report["baselines"]["unigram"]["perplexity"] == pytest.approx(10)
    assert report["n"] == 1000 and report["characters"] == 2000


def test_the_verdict_is_against_the_strongest_baseline():
    near = HALF + np.repeat([0.1, -0.1, 0.1, -0.1, 0.0], 200)
    reports = {
        "wins": language_report("t", HALF, {"a": TENTH}, 1000),
        "loses": language_report("t", TENTH, {"a": TENTH - 1, "b": HALF}, 1000),
        "ties": language_report("t", HALF, {"a": near, "b": TENTH}, 1000),
    }
    for verdict, report in reports.items():
        assert report["verdict"] == report["comparison"]["verdict"] == verdict
        assert verdict in report["comparison"]["sentence"]
    assert reports["loses"]["comparison"]["baseline"] == "b"


def test_the_table_is_readable():
    report = language_report("text_generation", HALF, {"unigram": TENTH}, 1000)
    report["dynamic"] = {"perplexity": 1.5, "cross_entropy": 0.405}
    table = format_language_report(report)
    assert table.startswith("text_generation, 1,000 tokens")
    assert "unigram" in table and "Dynamic evaluation: perplexity 1.500" in table


def test_what_does_not_fit_is_named():
    for network, baselines in (
        (HALF, {}),
        (HALF[:0], {"a": HALF[:0]}),
        (HALF, {"a": HALF[:5]}),
    ):
        with pytest.raises(ValueError, match="expected a baseline of as many"):
            language_report("t", network, baselines, 10)


def test_copied_ngrams_are_counted():
    train = np.array([5, 6, 7, 8, 9])
    assert copied_share([6, 7, 8, 5], train, 3) == pytest.approx(1 / 2)
    assert copied_share([6, 7, 8, 5], train, 2) == pytest.approx(2 / 3)
    assert copied_share([9, 9], train, 3) == 0
    assert longest_copy([9, 6, 7, 8, 5], train) == 3
    assert longest_copy([1, 2], train) == 0
    found = copies([np.array([5, 6, 7, 9])], train, np.array([8, 8, 8]), "words")
    shares = found["share_of_ngrams_in_train"]["3"]
    assert shares == {"written": 0.5, "held_out": 0.0}
    assert found["longest_copy_tokens"] == 3


def test_long_texts_are_scored_in_rows_every_token_once(monkeypatch):
    monkeypatch.setattr(language_model, "ROW", 40)
    text, asked = "".join(f"line {n}\n" for n in range(50)), []

    def score(texts):
        asked.extend(texts)
        for one in texts:
            ids = np.array([2 + ord(c) % 5 for c in one])
            yield ids, np.full(len(ids), np.log(0.25))

    baseline = {"unigram": KneserNey(1, 8).fit([2, 3, 4])}
    blocks = [text[:100], text[100:101], text[101:]]
    report = score_language_model("t", blocks, score, baseline)
    assert "".join(asked) == text
    assert max(map(len, asked)) <= 40 and all(t.endswith("\n") for t in asked)
    assert report["n"] == len(text) and report["unknown"] == 0
    assert report["scores"]["perplexity"]["value"] == pytest.approx(4)


def test_tokens_that_were_not_counted_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(language_model, "COUNTED_TOKENS", 300)
    ids = np.random.default_rng(0).integers(2, 20, 400)
    fitted = language_model.fit_language_baselines(ids, "words", 20)
    save_fitted(tmp_path / "b.npz", fitted)
    note = "fitted on the last 300 of 400 tokens"
    for found in (fitted, load_fitted(tmp_path / "b.npz", lambda _: KneserNey)):
        report = score_language_model(
            "t", ["abcd" * 200], lambda texts: [(ids, np.full(400, -3.0))], found
        )
        assert report["notes"] == {"unigram": note, "kneser_ney_5": note}
        assert f"\nkneser_ney_5: {note}\n" in format_language_report(report)
        assert f"({note}): cross-entropy" in report["comparison"]["sentence"]
    monkeypatch.setattr(language_model, "COUNTED_TOKENS", 400)
    whole = language_model.fit_language_baselines(ids, "words", 20)
    assert {model.note for model in whole.values()} == {""}


def test_what_is_hard_together_is_redrawn_together():
    """Of hundred-token stretches that are hard or easy, tokens are not independent."""
    hard = np.repeat(np.random.default_rng(0).normal(3, 1, 100), 100)
    mixed = np.random.default_rng(0).permutation(hard)
    widths = []
    for losses in (hard, mixed):
        report = language_report("t", -losses, {"a": TENTH[:1].repeat(10_000)}, 10_000)
        score = report["scores"]["cross_entropy"]
        widths.append(score["high"] - score["low"])
    assert widths[0] > 6 * widths[1]  # of independent tokens: a tenth


def test_baselines_go_to_a_file_and_back(tmp_path):
    ids = np.random.default_rng(0).integers(2, 20, 400)
    fitted = language_model.fit_language_baselines(ids, "words", 20)
    path = tmp_path / "b.npz"
    save_fitted(path, fitted)
    again = load_fitted(path, lambda _: KneserNey)
    assert list(again) == ["unigram", "kneser_ney_5"]
    for name in again:
        expected = fitted[name].log_probabilities(ids)
        assert np.array_equal(again[name].log_probabilities(ids), expected)
    whole = path.read_bytes()
    for content in (None, b"", b"no file of arrays", whole[: len(whole) // 2]):
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(UserError, match="b.npz: no baselines can be read"):
            load_fitted(path, lambda _: KneserNey)
