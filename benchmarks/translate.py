"""Translation beside CTranslate2 and PyTorch: serving, training, and a profile of each.

    python -m benchmarks.translate --only serve --run runs/translation/...
    python -m benchmarks.translate --only train profile --data FILE --target-data FILE

`serve` writes the weights of a run as a model of CTranslate2. Batches of 32 sentences
of like length go to both in turn, beam by beam of four, ours from raw text to raw text
and CTranslate2 from tokens to tokens. All rank by the sum of log-probabilities, since
their length normalisations differ: ours divides by ((5 + |Y|) / 6) ** a, CTranslate2 by
|Y| ** a. Then single sentences, by the default signature, whose a is 1. `train` takes
the same batches through the same Transformer of keras_seq, of Keras' own layers and in
PyTorch, turn by turn. Medians of turns; equal threads. Without --run a small network is
trained on the embedded sample first; without --data sentences are the sample's.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

THREADS = int(os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(os.cpu_count())))
os.environ.setdefault("TF_NUM_INTEROP_THREADS", str(THREADS))
os.environ.setdefault("OMP_NUM_THREADS", str(THREADS))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from benchmarks.op_profile import print_profile  # noqa: E402
from benchmarks.task_runs import run_task  # noqa: E402
from keras_seq.allocator import keep_freed_memory  # noqa: E402
from keras_seq.losses import TokenLoss  # noqa: E402
from keras_seq.serving.graph import save_signatures  # noqa: E402
from keras_seq.tasks.translation.data import CODER  # noqa: E402
from keras_seq.tasks.translation.server import MORE, TIMES, Translator  # noqa: E402
from keras_seq.text import load_sample_pairs, read_pairs  # noqa: E402
from keras_seq.text.coders import coder_from_json  # noqa: E402
from keras_seq.text.pair_batches import END_ID, make_pair_dataset  # noqa: E402
from keras_seq.training.model_file import load_model  # noqa: E402
from keras_seq.training.step_schedule import cosine_adam  # noqa: E402

BATCH, SINGLE, BEAMS = 32, 60, 4
RATE, SMOOTHING, BATCH_TOKENS = 0.001, 0.1, 4096
OURS, STOCK, TORCH = "keras_seq", "keras layers", "pytorch"
FLOAT, INT8 = "ctranslate2 float32", "ctranslate2 int8"
PAUSE = 0.005  # seconds before each turn: OpenMP's threads spin on after their work
Sides = Mapping[str, Callable[[Sequence[str]], list]]


def take_turns(sides: Sides, groups: Sequence, rounds: int) -> dict[str, list]:
    """Seconds of each round through all groups; sides alternate at each group.

    Returns:
        By side, for each round: wall time, and the processor's, of all threads, which
        other work on the machine hardly lengthens.
    """
    for group in groups[:: max(1, len(groups) // 5)]:
        for side in sides.values():
            side(group)
    seconds: dict[str, list] = {name: [] for name in sides}
    for _ in range(rounds):
        totals = {name: np.zeros(2) for name in sides}
        for group in groups:
            for name, side in sides.items():
                time.sleep(PAUSE)
                start = clocks()
                side(group)
                totals[name] += clocks() - start
        for name, total in totals.items():
            seconds[name].append(total)
    return seconds


def clocks() -> np.ndarray:
    """Seconds of wall and processor."""
    return np.array([time.perf_counter(), time.process_time()])


def print_turns(seconds: Mapping[str, list], unit: str, scale: float) -> None:
    ours = np.array(seconds[OURS])  # (rounds, 2)
    for name, each in seconds.items():
        wall, worked = scale * np.median(each, axis=0)
        line = f"  {name:20} {wall:8.1f} {unit}, {worked:8.1f} of the processor"
        if name != OURS:
            wall, worked = np.median(ours / np.array(each), axis=0)
            line += f"; keras_seq takes {wall:.2f}x as long, {worked:.2f}x the work"
        print(line, flush=True)


class Served:
    """A translator's SavedModel, loaded anew: its default answers, and bare tokens."""

    def __init__(self, translator: Translator, folder: Path) -> None:
        def tokens(text, beam_width, length_penalty) -> dict[str, tf.Tensor]:
            answer, _, ids = translator.search(text, beam_width, length_penalty)
            return {"translation": answer["translation"], "ids": ids}

        signatures = translator.signatures()
        specs = signatures["translate"][1]
        chosen = {
            "serving_default": signatures["serving_default"],
            "tokens": (tokens, specs),
        }
        save_signatures(translator, chosen, folder)
        keep_freed_memory()  # as `ks.load_exported` does; a process has one allocator
        self.loaded = tf.saved_model.load(str(folder))

    def translate(self, texts: Sequence[str]) -> list[bytes]:
        answer = self.loaded.signatures["serving_default"](text=_strings(texts))
        return answer["translation"].numpy().tolist()

    def tokens(self, texts: Sequence[str], width: int = BEAMS) -> list[list[int]]:
        answer = self.loaded.signatures["tokens"](
            text=_strings(texts),
            beam_width=tf.constant(width),
            length_penalty=tf.constant(0.0),
        )
        answer["translation"].numpy()
        return [row[row > 0].tolist() for row in answer["ids"].numpy()]


def _strings(texts: Sequence[str]) -> tf.Tensor:
    return tf.constant([text.encode() for text in texts])


def serve(translator: Translator, texts: Sequence[str], rounds: int) -> None:
    import ctranslate2

    from benchmarks.ctranslate2_model import write_model

    coder = translator.coder
    coded = {text: [*map(str, coder.ids_of(text)), str(END_ID)] for text in texts}
    with tempfile.TemporaryDirectory() as folder:
        served = Served(translator, Path(folder, "1"))
        write_model(translator.model, Path(folder, "ctranslate2"))
        peers = {
            name: ctranslate2.Translator(
                str(Path(folder, "ctranslate2")),
                compute_type=kind,
                inter_threads=1,
                intra_threads=THREADS,
            )
            for name, kind in ((FLOAT, "float32"), (INT8, "int8"))
        }

    def asked(name: str, width: int, penalty: float = 0.0):
        def tokens(some: Sequence[str]) -> list[list[int]]:
            sources = [coded[text] for text in some]
            found = peers[name].translate_batch(
                sources,
                beam_size=width,
                length_penalty=penalty,
                max_decoding_length=TIMES * max(map(len, sources)) + MORE,  # as ours
            )
            return [[int(token) for token in row.hypotheses[0]] for row in found]

        return tokens

    ordered = sorted(texts, key=lambda text: len(coded[text]))
    batches = [ordered[at : at + BATCH] for at in range(0, len(ordered), BATCH)]
    for width in (1, BEAMS):
        ours = [row for some in batches for row in served.tokens(some, width)]
        for name in peers:
            theirs = [row for some in batches for row in asked(name, width)(some)]
            equal = sum(map(list.__eq__, ours, theirs))
            print(f"beam {width}: tokens equal to {name} in {equal:,} of {len(ours):,}")
    mean = statistics.mean(len(row) for row in ours)
    print(f"{len(ordered):,} sentences in batches of {BATCH}, {mean:.1f} tokens each:")
    sides = {OURS: served.tokens} | {name: asked(name, BEAMS) for name in peers}
    print_turns(take_turns(sides, batches, rounds), "s", 1)
    step = max(1, len(texts) // SINGLE)
    single = [[text] for text in texts[::step]]
    sides = {OURS: served.translate} | {name: asked(name, BEAMS, 1.0) for name in peers}
    each = [take_turns(sides, [some], rounds) for some in single]
    print(f"one of {len(single)} sentences, beam {BEAMS}, default signature, median:")
    alone = {name: [np.median(e[name], axis=0) for e in each] for name in sides}
    print_turns(alone, "ms", 1000)


def train_sides(model: keras.Model, dataset) -> dict[str, Callable]:
    """Each trains on some batches of the dataset's next ones, and gives its losses."""
    import torch

    from benchmarks.transformer_peers import TorchTransformer, stock_twin

    torch.set_num_threads(THREADS)
    torch.set_flush_denormal(True)
    net = TorchTransformer(model)
    (source, target), _ = next(iter(dataset.as_numpy_iterator()))
    with torch.inference_mode():
        logits = net.eval()(torch.tensor(source), torch.tensor(target))
    apart = float(np.abs(logits.numpy() - np.array(model([source, target]))).max())
    print(f"logits of PyTorch with the same weights differ by {apart:.1e} at most")
    twins = {OURS: keras.models.clone_model(model), STOCK: stock_twin(model)}
    for twin in twins.values():
        twin.compile(cosine_adam(RATE, 100_000), TokenLoss(SMOOTHING))
        twin.make_train_function()
    batches = {name: iter(dataset.starting_at(0)) for name in twins}
    optimizer = torch.optim.Adam(net.parameters(), lr=RATE, betas=(0.9, 0.99))
    arrays = dataset.starting_at(0).as_numpy_iterator()

    def fit(name: str, count: int) -> float:
        for _ in range(count):
            logs = twins[name].train_function(batches[name])
        return float(logs["loss"])

    def fit_torch(count: int) -> float:
        net.train()
        for _ in range(count):
            (source, target), following = map_arrays(next(arrays))
            optimizer.zero_grad(set_to_none=True)
            loss = torch.nn.functional.cross_entropy(
                net(source, target).flatten(0, 1),
                following.flatten().long(),
                ignore_index=0,
                label_smoothing=SMOOTHING,
            )
            loss.backward()
            optimizer.step()
        return float(loss.detach())

    def map_arrays(batch) -> tuple:
        return tf.nest.map_structure(torch.tensor, batch)

    sides = {name: lambda n, name=name: fit(name, n) for name in twins}
    return sides | {TORCH: fit_torch}


def train(model: keras.Model, dataset, turns: int, count: int) -> None:
    sides = train_sides(model, dataset)
    seconds = take_turns(sides, [count], turns)
    print(f"an epoch of {dataset.num_batches:,} batches, of {count} a turn:")
    print_turns(seconds, "s", dataset.num_batches / count)


def profile(translator: Translator, texts: Sequence[str], dataset) -> None:
    ordered = sorted(texts, key=len)
    middle = ordered[len(ordered) // 2 :][:BATCH]
    with tempfile.TemporaryDirectory() as folder:
        served = Served(translator, Path(folder, "1"))
    for title, some in ((f"search of {BATCH}", middle), ("search of one", middle[:1])):
        served.tokens(some)
        print_profile(title, lambda some=some: served.tokens(some))
    sides = train_sides(translator.model, dataset)
    sides[OURS](3)
    print_profile("3 steps of training", lambda: sides[OURS](3))


def load_run(folder: Path | None) -> Translator:
    """The model and the coder of a run, or of a short one on the embedded sample."""
    with tempfile.TemporaryDirectory() as scratch:
        if folder is None:
            folder = Path(scratch, "run")
            print("no --run: a minute of training on the embedded sample comes first")
            run_task("translation", ["--max-seconds", "60"], 0, run_dir=folder)
        model = load_model(folder / "model.keras", compile=False)
        coder = coder_from_json((folder / CODER).read_text())
    return Translator(model, coder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = ("serve", "train", "profile")
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--run", type=Path, help="folder of a run, a transformer's")
    parser.add_argument("--data", type=Path, help="pairs, or sources a line")
    parser.add_argument("--target-data", type=Path, help="targets a line")
    parser.add_argument("--sentences", type=int, default=1000, help="to translate")
    parser.add_argument("--rounds", type=int, default=5, help="of turns")
    parser.add_argument("--batches", type=int, default=10, help="of a turn of `train`")
    asked = parser.parse_args()
    translator = load_run(asked.run)
    given = asked.data, asked.target_data
    pairs = read_pairs(*given) if asked.data else load_sample_pairs(1)
    sources = [pair.source for pair in pairs[: asked.sentences]]
    sizes = {"batch_tokens": BATCH_TOKENS, "shuffle": True}
    print(f"{THREADS} threads, load {os.getloadavg()[0]:.1f} before the start")
    if "serve" in asked.only:
        serve(translator, sources, asked.rounds)
    if {"train", "profile"} & set(asked.only):
        dataset = make_pair_dataset(pairs, translator.coder, **sizes)
    if "train" in asked.only:
        train(translator.model, dataset, asked.rounds, asked.batches)
    if "profile" in asked.only:
        profile(translator, sources, dataset)


if __name__ == "__main__":
    main()
