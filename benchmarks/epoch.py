"""Seconds of an epoch on IMDB: keras_seq beside Keras as its own example trains.

    python -m benchmarks.epoch [--data imdb_train.jsonl.gz] [--batches 150]

The model of keras.io's "Bidirectional LSTM on IMDB": 20,000 words, Embedding(128), two
stacked Bidirectional(LSTM(64)), Dense(1), at most 200 tokens, batches of 32, Adam.
Keras pads every review to 200, as the example does; keras_seq batches reviews of like
length and takes its own Adam. Two directions run side by side, so both sides are faster
with half the cores an operation, and have that. Both go through the same number of
batches turn by turn, and the epoch is worked out from the median of the turns. Without
--data reviews of IMDB's lengths are made up.
"""

import argparse
import os
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
HALF = max(1, (os.cpu_count() or 1) // 2)
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(HALF))

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from keras_seq.data.sources import read_table  # noqa: E402
from keras_seq.layers import LSTM  # noqa: E402
from keras_seq.text.batches import EncodedSamples, make_text_dataset  # noqa: E402
from keras_seq.text.tokenizer import Tokenizer, pad_sequences  # noqa: E402
from keras_seq.training.optimizers import Adam  # noqa: E402

WORDS, STEPS, BATCH, REVIEWS, LABELS = 20_000, 200, 32, 25_000, ("0", "1")


def load_reviews(data: Path | None) -> list[tuple[str, str]]:
    """(text, label) of a file; else made up: log-normal lengths, as IMDB has them."""
    if data is not None:
        return list(read_table(data))
    print("no --data: reviews are made up, of IMDB's lengths (median 174 words)")
    rng = np.random.default_rng(0)
    lengths = np.clip(rng.lognormal(np.log(174), 0.75, REVIEWS), 10, 2500).astype(int)
    words = np.char.add("w", rng.zipf(1.3, lengths.sum()).clip(max=WORDS).astype(str))
    parts = np.split(words, np.cumsum(lengths)[:-1])
    return [(" ".join(part), LABELS[i % 2]) for i, part in enumerate(parts)]


def make_model(
    layer: type, mask_zero: bool, optimizer: str | Adam = "adam"
) -> keras.Model:
    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            layers.Embedding(WORDS, 128, mask_zero=mask_zero),
            layers.Bidirectional(layer(64, return_sequences=True)),
            layers.Bidirectional(layer(64)),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(optimizer, "binary_crossentropy", metrics=["accuracy"])
    return model


def padded(samples: EncodedSamples) -> tf.data.Dataset:
    """The example's way: every review padded, or cut, to 200 tokens."""
    ids = [samples.tokens(number) for number in range(len(samples))]
    ids = pad_sequences(ids, STEPS)
    dataset = tf.data.Dataset.from_tensor_slices((ids, samples.labels))
    return dataset.shuffle(len(ids), seed=0).batch(BATCH).prefetch(tf.data.AUTOTUNE)


def turns(model: keras.Model, data: tf.data.Dataset, batches: int) -> Iterator[float]:
    """Seconds of each run through the next so many batches; the first warms up."""
    source = iter(data.repeat())
    model.make_train_function()
    while True:
        start = time.perf_counter()
        for _ in range(batches):
            logs = model.train_function(source)
        float(logs["loss"])
        yield time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="IMDB's 25,000 training reviews")
    parser.add_argument("--batches", type=int, default=100, help="of each turn")
    parser.add_argument("--turns", type=int, default=5)
    options = parser.parse_args()
    reviews = load_reviews(options.data)
    tokenizer = Tokenizer(num_words=WORDS)
    tokenizer.fit_on_texts(text for text, _ in reviews)
    names = sorted({label for _, label in reviews})
    samples = EncodedSamples(reviews, tokenizer, names, STEPS)
    bucketed = make_text_dataset(
        samples, tokenizer, names, batch_size=BATCH, shuffle=True
    )
    contest = {
        "keras_seq": turns(make_model(LSTM, True, Adam()), bucketed, options.batches),
        "keras": turns(
            make_model(keras.layers.LSTM, False), padded(samples), options.batches
        ),
    }
    seconds = {name: [] for name in contest}
    for turn in range(options.turns + 1):
        for name, run in contest.items():
            taken = next(run)
            if turn:
                seconds[name].append(taken)
    epoch = len(reviews) / BATCH / options.batches
    medians = {name: epoch * statistics.median(s) for name, s in seconds.items()}
    for name, each in medians.items():
        print(f"{name}: {each:.1f} s an epoch of {len(reviews):,} reviews")
    print(f"keras takes {medians['keras'] / medians['keras_seq']:.2f}x as long")


if __name__ == "__main__":
    main()
