"""A language model beside n-gram models: all scored on the same tokens, in one pass.

Takes callables and plain data; is independent of networks or files of text. The n-gram
models are kept as arrays, so that an exported model can be scored beside them anywhere.

Shapes: N tokens.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from keras_seq.constants import OOV_ID
from keras_seq.errors import UserError
from keras_seq.evaluation.language import copied_share, language_report, longest_copy
from keras_seq.text.kneser_ney import KneserNey

# Texts to the ids of each and their log-probabilities in nats, both (N,).
ScoreTokens = Callable[[Sequence[str]], Iterable[tuple[np.ndarray, np.ndarray]]]

# Longest n-grams of the baseline, and lengths of n-grams that are looked for in train.
ORDERS = {"characters": 7, "bytes": 7, "words": 5, "subwords": 4}
COPIED = {
    "characters": (8, 16, 32),
    "bytes": (8, 16, 32),
    "words": (3, 5, 8),
    "subwords": (4, 8, 16),
}
COUNTED_TOKENS = 3_000_000  # the last ones of train, nearest to what is scored
# Texts are scored in rows of so many characters, whose states start anew.
ROW, ROWS_AT_ONCE = 60_000, 8


def fit_language_baselines(
    token_ids: np.ndarray, kind: str, vocab_size: int
) -> dict[str, KneserNey]:
    """The unigram and Kneser-Ney models of the train part, by name.

    Args:
        token_ids: int32 (N,).
        kind: of the tokens: "characters", "words", "bytes" or "subwords".
        vocab_size: V.

    Example:

    >>> list(fit_language_baselines(np.array([2, 3, 2]), "words", 4))
    ['unigram', 'kneser_ney_5']
    """
    counted = np.asarray(token_ids[-COUNTED_TOKENS:])
    note = ""
    if len(counted) < len(token_ids):
        note = f"fitted on the last {len(counted):,} of {len(token_ids):,} tokens"
    fitted = {}
    for order in (1, ORDERS[kind]):
        model = KneserNey(order, vocab_size).fit(counted)
        model.note = note
        fitted[model.name] = model
    return fitted


def score_language_model(
    task: str,
    corpus: Iterable[str],
    score_tokens: ScoreTokens,
    baselines: Mapping[str, KneserNey],
) -> dict[str, Any]:
    """Scores a network and n-gram models on the same text, every token once.

    Args:
        task: the task's name.
        corpus: blocks of text.
        score_tokens: the network, on one batch of texts.
        baselines: fitted on the train part alone.

    Returns:
        The report of `language_report`, with the number of unknown tokens.

    Raises:
        UserError: There is no text.
    """
    found: dict[str, list[np.ndarray]] = {"network": [], **{n: [] for n in baselines}}
    characters = unknown = 0
    rows = _rows(corpus)
    while texts := list(itertools.islice(rows, ROWS_AT_ONCE)):
        characters += sum(map(len, texts))
        for token_ids, each in score_tokens(texts):
            found["network"].append(each)
            unknown += int((token_ids == OOV_ID).sum())
            for name, model in baselines.items():
                found[name].append(model.log_probabilities(token_ids))
    if not sum(map(len, found["network"])):
        raise UserError("there is no text to score")
    joined = {name: np.concatenate(parts) for name, parts in found.items()}
    notes = {name: getattr(model, "note", "") for name, model in baselines.items()}
    report = language_report(
        task, joined.pop("network"), joined, characters, notes=notes
    )
    return {**report, "unknown": unknown}


def _rows(corpus: Iterable[str]) -> Iterator[str]:
    """Texts of `ROW` characters at most, cut behind a line end where there is one."""
    rest = ""
    for block in corpus:
        rest += block
        while len(rest) > ROW:
            cut = rest.rfind("\n", 0, ROW) + 1 or ROW
            yield rest[:cut]
            rest = rest[cut:]
    if rest:
        yield rest


def copies(
    written: Sequence[np.ndarray], train: np.ndarray, held_out: np.ndarray, kind: str
) -> dict[str, Any]:
    """How much of written texts stands word for word in the train part.

    The same shares of held-out text say what is only the language's own.

    Args:
        written: int32 (N,) of each text.
        train: int32 (N,).
        held_out: int32 (N,), as long as what was written.
        kind: of the tokens.

    Returns:
        The longest copy, in tokens, and for lengths of n-grams the shares of both.
    """
    return {
        "longest_copy_tokens": max(longest_copy(ids, train) for ids in written),
        "share_of_ngrams_in_train": {
            str(size): {
                "written": float(
                    np.mean([copied_share(ids, train, size) for ids in written])
                ),
                "held_out": copied_share(held_out, train, size),
            }
            for size in COPIED[kind]
        },
    }
