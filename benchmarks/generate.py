"""Speed of generation: the loop in the SavedModel beside loops that ask `predict`.

    .venv/bin/python -m benchmarks.generate

The same LSTM over 65 characters, of the size of the task's recipe, writes for two
prompts. The SavedModel is asked for 300 characters at once. The naive loop, as in
tutorials, calls `model.predict` on the last 100 characters for each new one; its rate
is taken over fewer characters, each of which costs the same. Rounds take turns, so that
what else the machine does falls on both; medians are shown.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_seq.models.text_generation import build_text_generation_model
from keras_seq.serving.graph import save_signatures, without_cudnn
from keras_seq.tasks.text_generation.client import write_texts
from keras_seq.tasks.text_generation.server import TextGenerator
from keras_seq.tasks.text_generation.training import RECIPES
from keras_seq.text.coders import Characters

CHARACTERS = "".join(chr(code) for code in range(32, 95)) + "\n"
PROMPTS = ["TO BE, OR NOT TO BE", "NOW"]
TOKENS, NAIVE_TOKENS = 300, 20
WINDOW = 100


def served(generator: TextGenerator, folder: str) -> Callable:
    """The exported signature, loaded anew."""
    with without_cudnn([generator.model]):
        save_signatures(generator, generator.signatures(), Path(folder, "1"))
    served.module = tf.saved_model.load(f"{folder}/1")  # keeps its variables alive
    return served.module.signatures["serving_default"]


def naive(model: keras.Model, coder: Characters, tokens: int) -> None:
    """A character at a time, each from the whole window anew."""
    rng = np.random.default_rng(0)
    windows = [np.resize(coder.ids_of(prompt), WINDOW) for prompt in PROMPTS]
    text = np.stack(windows)
    for _ in range(tokens):
        logits = model.predict(text[:, -WINDOW:], verbose=0)[:, -1]
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        odds /= odds.sum(axis=1, keepdims=True)
        chosen = [rng.choice(odds.shape[1], p=row) for row in odds]
        text = np.concatenate([text, np.array(chosen)[:, None]], axis=1)


def seconds(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--units", type=int, default=RECIPES["characters"]["rnn_units"])
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    coder = Characters.fit([CHARACTERS])
    model = build_text_generation_model(coder.vocab_size, 64, options.units)
    with tempfile.TemporaryDirectory() as folder:
        signature = served(TextGenerator(model, coder), folder)

        def in_graph() -> list:
            return write_texts(signature, PROMPTS, max_new_tokens=TOKENS)

        in_graph(), naive(model, coder, 2)  # both are warm
        graph_times, naive_times = [], []
        for _ in range(options.rounds):
            graph_times.append(seconds(in_graph) / TOKENS)
            once = seconds(lambda: naive(model, coder, NAIVE_TOKENS))
            naive_times.append(once / NAIVE_TOKENS)
    per_token = statistics.median(graph_times)
    ratios = [slow / fast for fast, slow in zip(graph_times, naive_times)]
    print(f"{TOKENS} characters for {len(PROMPTS)} prompts, LSTM({options.units}):")
    best = min(graph_times) * TOKENS
    print(f"in the SavedModel: median {per_token * TOKENS:.3f} s, best {best:.3f} s")
    slow = statistics.median(naive_times)
    print(f"predict loop: {1000 * slow:.0f} ms a character, {slow * TOKENS:.1f} s")
    print(f"ratio: median {statistics.median(ratios):.0f}")


if __name__ == "__main__":
    main()
