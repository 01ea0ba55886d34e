"""What a language model's task does before and after its training.

Before: parts of the text, the coder that is fitted on train, and token ids. After:
scores beside n-gram models, samples and what in them was copied, the run folder, the
proven export. This module needs no architecture and no training.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

import keras
import numpy as np

from keras_seq.errors import UserError
from keras_seq.evaluation.fitted import load_fitted, save_fitted
from keras_seq.evaluation.language import format_language_report
from keras_seq.log import log, stage
from keras_seq.ranges import check_settings
from keras_seq.serving.exported import DEFAULT
from keras_seq.serving.graph import answered
from keras_seq.serving.saved_model import EXTRA, load_exported
from keras_seq.tasks.result import Evaluation
from keras_seq.tasks.run import Ending
from keras_seq.tasks.text_generation.client import (
    DEFAULTS,
    as_inputs,
    score_texts,
    write_texts,
)
from keras_seq.tasks.text_generation.scores import (
    copies,
    fit_language_baselines,
    score_language_model,
)
from keras_seq.tasks.text_generation.server import TextGenerator
from keras_seq.tasks.text_generation.token_scores import score_dynamic
from keras_seq.text.coders import Bytes, Characters, Words
from keras_seq.text.copies import (
    log_copied_text,
    log_trained_text,
    save_windows,
)
from keras_seq.text.corpus import Corpus, split_text
from keras_seq.text.kneser_ney import KneserNey
from keras_seq.text.reversible import ReversibleTokenizer
from keras_seq.text.stored_text import StoredText, stored_text
from keras_seq.text.streams import encode_corpus
from keras_seq.text.subwords import Subwords

Tokens = Literal["characters", "words", "bytes", "subwords"]

CODER, BASELINES, TRAINED = "coder.json", "baselines.npz", "trained_on.npz"
VOCAB_SIZES = {"characters": 10_000, "words": 10_002, "subwords": 4_000}
FEWEST_SUBWORDS = 258
MANY_CHARACTERS = 256  # above it, a character that occurs once is unknown
SAMPLES, SAMPLE_TOKENS = 8, 400
EXAMPLES, EXAMPLE_CHARACTERS, EXAMPLE_TOKENS = 4, 40, 40


class LanguageData(NamedTuple):
    """Parts of a text, and what was fitted on its train part alone.

    Attributes:
        parts: "train", "validation" and "test".
        coder: fitted.
        token_ids: int32 (N,) of "train" and "validation", mapped from files.
        fingerprint: SHA-256 of the train part's ids.
        fingerprints: of the text of each part, by its name.
    """

    parts: dict[str, StoredText]
    coder: ReversibleTokenizer
    token_ids: dict[str, np.ndarray]
    fingerprint: str
    fingerprints: dict[str, str]


def prepare_corpus(
    given: Mapping[str, Corpus],
    *,
    tokens: Tokens = "characters",
    vocab_size: int | None = None,
    limit: int | None = None,
) -> LanguageData:
    """Cuts the parts that are not given, and fits the coder on the rest.

    Args:
        given: "train", and "validation" or "test" where the user brings them.
        tokens: what a token is.
        vocab_size: most ids; None is a number usual for the tokens.
        limit: most characters of the train text, before it is cut.

    Returns:
        The parts and what was fitted on train.

    Raises:
        UserError: Too little text, a part that mostly stands in train, or no package
            to train subwords with.

    Example:

    >>> data = prepare_corpus({"train": ["to be or not to be\\n"] * 50})
    >>> data.coder.vocab_size, len(data.token_ids["train"])
    (10, 817)
    """
    check_settings(vocab_size=vocab_size, limit=limit)
    given = {name: stored_text(corpus) for name, corpus in given.items()}
    parts = split_text(given, limit)
    for name, part in parts.items():
        log.info(f"{part}: {part.size:,} characters, the {name} part")
    log_copied_text(parts, given)
    coder = fit_coder(parts["train"], tokens, vocab_size)
    ids = {part: encode_corpus(coder, parts[part]) for part in ("train", "validation")}
    digest = hashlib.sha256(np.ascontiguousarray(ids["train"]).data).hexdigest()
    fingerprints = {name: fingerprint_of(part) for name, part in parts.items()}
    return LanguageData(parts, coder, ids, digest, fingerprints)


def fingerprint_of(corpus: Corpus) -> str:
    """SHA-256 of a text, however it is cut into blocks.

    Example:

    >>> fingerprint_of(["to ", "be"]) == fingerprint_of(["to be"])
    True
    """
    digest = hashlib.sha256()
    for block in corpus:
        digest.update(block.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def fit_coder(
    corpus: Corpus, tokens: Tokens, vocab_size: int | None = None
) -> ReversibleTokenizer:
    """The coder of a kind of tokens, fitted on a text.

    Example:

    >>> fit_coder(["to be"], "words").tokens[2:]
    (b'be', b'to')
    """
    size = vocab_size or VOCAB_SIZES.get(tokens, 0)
    if tokens == "bytes":
        return Bytes()
    if tokens == "subwords":
        if size < FEWEST_SUBWORDS:
            raise UserError(
                f"--vocab-size is {size}; subwords take {FEWEST_SUBWORDS} or more, as "
                "each byte is one"
            )
        return Subwords.fit(corpus, size)
    if tokens == "words":
        return Words.fit(corpus, size - 2)
    coder = Characters.fit(corpus, size - 2)
    if coder.vocab_size > MANY_CHARACTERS:
        # So that the model learns what an unknown character is.
        coder = Characters.fit(corpus, size - 2, min_count=2)
    return coder


def score_run(
    task: str, model: keras.Model, data: LanguageData, dynamic_evaluation: bool = False
) -> Ending:
    """Scores a trained model beside n-gram models, on validation and test.

    Args:
        task: its name.
        model: of `build_text_generation_model`, in float32.
        data: what it was trained on.
        dynamic_evaluation: score test once more with a model that learns on the way, at
            the rate that is best on validation.
    """
    generator, coder = TextGenerator(model, data.coder), data.coder
    with stage("baselines"):
        baselines = fit_language_baselines(
            data.token_ids["train"], coder.kind, coder.vocab_size
        )
    score = partial(score_texts, generator.signature("score_tokens"))
    with stage("scoring"):
        reports = {
            part: score_language_model(task, data.parts[part], score, baselines)
            for part in ("validation", "test")
        }
    if dynamic_evaluation:
        with stage("dynamic evaluation"):
            test = encode_corpus(coder, data.parts["test"])
            found = score_dynamic(model, data.token_ids["validation"], test)
            reports["test"]["dynamic"] = found
    with stage("writing samples"):
        signature, most = generator.signature(), SAMPLE_TOKENS
        texts = [
            write_texts(signature, [""], max_new_tokens=most, seed=seed)[0]["text"]
            for seed in range(SAMPLES)
        ]
    written = [coder.ids_of(text) for text in texts]
    held_out = coder.ids_of(next(iter(data.parts["test"])))[: SAMPLES * SAMPLE_TOKENS]
    copied = copies(written, data.token_ids["train"], held_out, coder.kind)
    prompts = example_prompts(data.parts["test"])
    examples = {"prompt": prompts, **DEFAULTS, "max_new_tokens": EXAMPLE_TOKENS}
    proofs = {DEFAULT: (examples, generator.expected(examples))}
    return Ending(
        models=[model],
        server=generator,
        signatures=generator.signatures(),
        # A text is chosen from numbers, and can be the same where they are not.
        proofs=proofs | _numbers(generator, prompts),
        reports=reports,
        metadata={
            "tokens": coder.kind,
            "vocab_size": coder.vocab_size,
            "copied": copied,
            "data": data.fingerprint,
        },
        draw=lambda board: board.text("samples", "\n\n----\n\n".join(texts)),
        further={"copied": copied},
        run_files={CODER: coder.to_json()},
        extra_files={
            BASELINES: partial(save_fitted, baselines=baselines),
            TRAINED: partial(save_windows, corpus=data.parts["train"]),
        },
    )


def _numbers(generator: TextGenerator, prompts: Sequence[str]) -> dict[str, tuple]:
    """Signatures that answer in numbers, as the proof of an export asks them."""
    text = as_inputs(prompts)["prompt"]
    asked = {
        "score": (generator.score, {"text": text}),
        "score_tokens": (generator.score_tokens, {"text": text}),
        "init": (generator.init, {"prompt": text}),
    }
    return answered([generator.model], asked)


def example_prompts(corpus: Corpus) -> list[str]:
    """Beginnings of lines that the model has not seen, as prompts of unequal length."""
    text, most = "", EXAMPLES * EXAMPLES * EXAMPLE_CHARACTERS
    for block in corpus:  # which may be as short as a line
        text += block
        if len(text) >= most:
            break
    cut = max(1, len(text) // EXAMPLES)
    prompts = [text[n * cut :][: EXAMPLE_CHARACTERS * n] for n in range(EXAMPLES)]
    return [prompt.strip() for prompt in prompts]


def evaluate_language_export(
    task: str, model: Path, corpus: Iterable[str]
) -> Evaluation:
    """Scores an exported language model beside the n-grams of its training.

    Args:
        task: its name.
        model: folder of an export, or of one version.
        corpus: blocks of text.

    Returns:
        The report, as `language_report` has it.

    Raises:
        UserError: It is no export, or there is no text.
    """
    exported, corpus = load_exported(model), stored_text(corpus)
    log_trained_text(corpus, exported.path / EXTRA / TRAINED)
    baselines = load_fitted(exported.path / EXTRA / BASELINES, lambda _: KneserNey)
    score = partial(score_texts, exported.signature("score_tokens"))
    report = score_language_model(task, corpus, score, baselines)
    return Evaluation(report, format_language_report)
