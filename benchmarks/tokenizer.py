"""Seconds to fit a vocabulary and to encode, beside Keras' own TextVectorization.

    python benchmarks/tokenizer.py                         # 5,000 made-up reviews
    python benchmarks/tokenizer.py --data imdb.jsonl.gz    # the first 5,000 of a file

Both take the same texts and a list of strings. The runs alternate, so that a machine
busy with other work slows both; the figures are medians. `adapt` takes the whole list
as one batch, or a tf.data.Dataset of batches, its way with more than memory holds;
`fit_on_texts` streams always. TextVectorization encodes words split at white space, of
which ASCII punctuation alone was cut: it does less for the same figure.
"""

import argparse
import itertools
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import keras
import tensorflow as tf

from keras_seq.data.sources import read_table
from keras_seq.text.sample_reviews import load_sample_reviews
from keras_seq.text.tokenizer import Tokenizer

BATCH_SIZE = 1024


def load_texts(data: Path | None, limit: int) -> list[str]:
    """So many reviews of a file, or as many made-up ones of about 200 words each."""
    if data is not None:
        rows = read_table(data, need_labels=False)
        return [text for text, _ in itertools.islice(rows, limit)]
    reviews = itertools.cycle(text for text, _ in load_sample_reviews())
    return [" ".join(itertools.islice(reviews, 15)) for _ in range(limit)]


def make_contest(texts: list[str]) -> dict[str, Callable[[], object]]:
    """What is timed, by name."""
    tokenizer, peer = Tokenizer(), keras.layers.TextVectorization()
    tokenizer.fit_on_texts(texts)
    peer.adapt(texts)
    tensor = tf.constant(texts)
    dataset = tf.data.Dataset.from_tensor_slices(tensor).batch(BATCH_SIZE)
    return {
        "fit_on_texts": lambda: Tokenizer().fit_on_texts(texts),
        "adapt, one batch": lambda: keras.layers.TextVectorization().adapt(texts),
        "adapt, dataset": lambda: keras.layers.TextVectorization().adapt(dataset),
        "encode": lambda: tokenizer.encode(tensor),
        "TextVectorization()": lambda: peer(tensor),
    }


def measure(contest: dict[str, Callable[[], object]], runs: int) -> dict[str, list]:
    """Seconds of each run of each, turn by turn after one run to warm up."""
    seconds = {name: [] for name in contest}
    for turn in range(runs + 1):
        for name, call in contest.items():
            start = time.perf_counter()
            call()
            if turn:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, help="a file of reviews; none: made up")
    parser.add_argument("--limit", type=int, default=5000, help="number of texts")
    parser.add_argument("--runs", type=int, default=9, help="of which the median is")
    options = parser.parse_args()
    texts = load_texts(options.data, options.limit)
    size = sum(map(len, texts)) / 1e6
    print(f"{len(texts):,} texts, {size:.1f} million characters")
    print(f"{'':>20} {'median s':>9} {'fastest':>9} {'slowest':>9}")
    for name, runs in measure(make_contest(texts), options.runs).items():
        middle = statistics.median(runs)
        print(f"{name:>20} {middle:>9.3f} {min(runs):>9.3f} {max(runs):>9.3f}")


if __name__ == "__main__":
    main()
