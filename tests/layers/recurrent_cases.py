"""Right and wrong shapes for the recurrent layers, and for the operations below them.

`python -m tests.layers.recurrent_cases 2000` runs them all without pytest: so they run
in a process whose kernels are compiled with AddressSanitizer, too.
"""

import functools
import sys
from collections.abc import Iterator
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from keras_seq.layers import GRU, LSTM, SimpleRNN, native_step
from keras_seq.layers.native_build import library

PAIRS = {
    "lstm": (LSTM, keras.layers.LSTM),
    "gru": (GRU, keras.layers.GRU),
    "simple": (SimpleRNN, keras.layers.SimpleRNN),
}
UNITS, FEATURES = 5, 2
OPTIONS = (
    {"return_sequences": True},
    {"go_backwards": True},
    {"return_sequences": True, "go_backwards": True, "zero_output_for_mask": True},
    {"use_bias": False},
)
# Keras' way of refusing depends on where in its loop a shape does not fit.
REFUSALS = (ValueError, IndexError, tf.errors.OpError)


class Case(NamedTuple):
    """A call of a layer; no mask and no state where they are None."""

    cell: str
    option: int
    x: np.ndarray
    mask: np.ndarray | None
    states: list[np.ndarray] | None
    dynamic: bool  # through a tf.function that knows no sizes

    def __str__(self) -> str:
        mask = None if self.mask is None else (self.mask.shape, self.mask.dtype.name)
        states = self.states and [state.shape for state in self.states]
        how = "graph" if self.dynamic else "eager"
        options = OPTIONS[self.option]
        return f"{self.cell} {options} {how} x {self.x.shape} {mask=} {states=}"


def cases(count: int, seed: int = 0) -> Iterator[Case]:
    """Half of them fit; the others have one or two shapes that do not."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        cell, option = str(rng.choice(sorted(PAIRS))), int(rng.integers(len(OPTIONS)))
        dynamic = number % 3 > 0
        rows, steps = int(rng.integers(1, 5)), int(rng.integers(1, 6))
        shapes = {"x": [rows, steps, FEATURES], "mask": [rows, steps]}
        shapes |= {"h": [rows, UNITS], "c": [rows, UNITS]}
        for _ in range(rng.choice([0, 1, 2], p=[0.5, 0.35, 0.15])):
            _spoil(shapes, rng, dynamic)
        x = rng.normal(size=shapes["x"]).astype("float32")
        mask = rng.random(shapes["mask"]) < 0.7
        kept = ["h", "c"] if cell == "lstm" else ["h"]
        states = [rng.normal(size=shapes[name]).astype("float32") for name in kept]
        if not dynamic:
            mask = mask.astype(rng.choice(["bool", "int32", "float32"]))
            mask = None if rng.random() < 0.2 else mask
            states = None if rng.random() < 0.3 else states
        yield Case(cell, option, x, mask, states, dynamic)


def _spoil(shapes: dict[str, list[int]], rng: np.random.Generator, dynamic: bool):
    name = str(rng.choice(sorted(shapes)))
    shape = shapes[name]
    if not dynamic and rng.random() < 0.2:  # another rank
        if len(shape) == 2:
            last = [1] if name != "mask" else [int(rng.choice([1, UNITS, 3]))]
            shapes[name] = shape[1:] if rng.random() < 0.3 else [*shape, *last]
        return
    axis = int(rng.integers(len(shape)))
    if name == "x" and axis == 2 and dynamic:
        axis = 0
    sizes = [0, 1, shape[axis] + 1, shape[axis] + 7, 9]
    shape[axis] = int(rng.choice(sizes))


@functools.cache
def twins(cell: str, option: int) -> tuple[keras.Layer, keras.Layer]:
    """Ours and Keras' own, with the same weights."""
    given = OPTIONS[option] | {"return_state": True, "bias_initializer": "uniform"}
    ours, stock = (kind(UNITS, **given) for kind in PAIRS[cell])
    for layer in (ours, stock):
        layer.build((None, None, FEATURES))
    ours.set_weights(stock.get_weights())
    return ours, stock


@functools.cache
def dynamic_call(cell: str, option: int, which: int):
    """Outputs and gradients of x, states and weights, in a graph without sizes."""
    layer = twins(cell, option)[which]
    state = tf.TensorSpec([None, None], "float32")
    sequences = tf.TensorSpec([None, None, FEATURES], "float32")
    mask = tf.TensorSpec([None, None], "bool")
    states = [state] * (2 if cell == "lstm" else 1)

    @tf.function(input_signature=[sequences, mask, states], autograph=False)
    def call(x, mask, states):
        with native_step(), tf.GradientTape() as tape:
            tape.watch([x, *states])
            outputs = layer(x, mask=mask, initial_state=states, training=True)
            loss = tf.add_n([tf.reduce_sum(tf.sin(y)) for y in outputs])
        weights = [weight.value for weight in layer.trainable_variables]
        return [*outputs, *tape.gradient(loss, [x, *states, *weights])]

    return call


def outcome(case: Case, which: int) -> list[np.ndarray] | Exception:
    """What our layer (0) or Keras' (1) answers, or how it refuses."""
    try:
        if case.dynamic:
            call = dynamic_call(case.cell, case.option, which)
            found = call(case.x, case.mask, case.states)
        else:
            layer = twins(case.cell, case.option)[which]
            states = case.states and [tf.constant(state) for state in case.states]
            mask = None if case.mask is None else tf.constant(case.mask)
            found = layer(tf.constant(case.x), mask=mask, initial_state=states)
        return [np.array(each) for each in found]
    except REFUSALS as error:
        return error


def difference(case: Case) -> str | None:
    """How our layer's answer differs from Keras', if it does."""
    ours, stock = outcome(case, 0), outcome(case, 1)
    mask = case.mask
    if case.dynamic and mask is not None and mask.shape[1] > case.x.shape[1]:
        # In a graph Keras leaves out what is too long, in eager mode it refuses.
        return None if isinstance(ours, Exception) else f"{case}: answered"
    if isinstance(ours, Exception) or isinstance(stock, Exception):
        both = isinstance(ours, Exception) and isinstance(stock, Exception)
        return None if both else f"{case}: {ours!r:.300}, Keras: {stock!r:.300}"
    for one, other in zip(ours, stock, strict=True):
        size = max(1.0, np.abs(other).max(initial=0.0))
        if one.shape != other.shape:
            return f"{case}: {one.shape}, Keras: {other.shape}"
        if np.abs(one - other).max(initial=0.0) > 1e-5 * size:
            return f"{case}: another number"
    return None


# The operations themselves. B = 3 rows, T = 4 steps, N = 7 that count.

MASK = np.array([[1, 1, 0, 1], [0, 0, 0, 0], [1, 1, 1, 1]], bool)
NUMBERS, STARTS = np.flatnonzero(MASK).astype("int32"), np.array([0, 3, 3, 7], "int32")
GATES = {"lstm": (4, 4), "gru": (3, 4), "simple": (1, 0)}
# Inputs that an operation does not read for its cell.
UNREAD = {
    "gru": {"c0", "c_all", "dc_last"},
    "simple": {"c0", "c_all", "dc_last", "gates"},
    "lstm": set(),
}


def good_calls() -> dict[str, dict]:
    """Arguments that fit, of every operation."""
    rows, steps, count, whole = 3, 4, len(NUMBERS), {"mask": MASK, "starts": STARTS}
    order = {"backwards": False, "flip": False, "zero": False}
    calls = {
        "fit": {
            "x": [rows, steps, FEATURES],
            "h": [rows, UNITS],
            "c": [rows, UNITS],
            "mask": [rows, steps],
            "units": UNITS,
        },
        "starts": {"shape": [rows, steps]},
        "plan": {"mask": MASK},
        "gather": {"source": floats(rows * steps, 2), "numbers": NUMBERS},
        "scatter": {"packed": floats(count, 2), "numbers": NUMBERS, "size": 12},
        "unpack": {"packed": floats(count, UNITS), **whole, **order},
        "unpack_back": {
            "whole": floats(rows, steps, UNITS),
            "numbers": NUMBERS,
            **whole,
            **order,
        },
    }
    for cell, (gates, kept) in GATES.items():
        sums = gates * UNITS
        made_of = {
            "source": floats(count, FEATURES),
            "kernel": floats(FEATURES, sums),
            "recurrent": floats(UNITS, sums),
            "bias": floats(2, sums) if cell == "gru" else floats(sums),
            "h0": floats(rows, UNITS),
            "c0": floats(rows, UNITS),
            "starts": STARTS,
        }
        common = {"backwards": False, "sequences": True, "threads": 2}
        inputs = floats(count, sums)
        calls[cell] = {"inputs": inputs, **made_of, **common, "keep": True}
        calls[f"{cell}_back"] = {
            **made_of,
            **common,
            "h_all": floats(count, UNITS),
            "gates": floats(count, kept * UNITS),
            "c_all": floats(count, UNITS),
            "dh_all": floats(count, UNITS),
            "dh_last": floats(rows, UNITS),
            "dc_last": floats(rows, UNITS),
        }
    return calls


def floats(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def bad_shapes(name: str) -> Iterator[dict]:
    """The good call with one tensor of another size or rank."""
    good = good_calls()[name]
    unread = UNREAD.get(name.removesuffix("_back"), set())
    for key, value in good.items():
        value = np.asarray(value)
        if value.ndim == 0 and key != "size" or key in unread:
            continue
        others = [value[None], np.zeros(value.shape[:-1] or (1, 1), value.dtype)]
        for axis, size in enumerate(value.shape):
            if (name, key, axis) in FREE_SIZES:
                continue
            for wrong in {0, size - 1, size + 1, size + 40} - {size}:
                indices = np.arange(wrong) % max(size, 1)
                others.append(np.take(value, indices, axis))
        for other in others:
            yield good | {key: other}


# One size alone says nothing: others fit as well.
FREE_SIZES = {
    ("plan", "mask", 0),
    ("plan", "mask", 1),
    ("gather", "source", 0),
    ("gather", "source", 1),
    ("gather", "numbers", 0),
    ("scatter", "packed", 1),
    ("unpack", "packed", 1),
    ("unpack_back", "whole", 2),
    ("starts", "shape", 0),
    ("fit", "mask", 0),
}
FALLING = [([0, 4, 3, 7]), ([0, 3, 3, 8]), ([1, 3, 3, 7]), ([0, 3, 3, 6])]
FALLING += [([-1, 3, 3, 7]), ([0, -9, 3, 7]), ([0, 2**31 - 1, 3, 7]), ([0, 8, 9, 7])]


def bad_contents() -> Iterator[tuple[str, dict]]:
    """Calls whose shapes fit and whose numbers point elsewhere."""
    calls = good_calls()
    for name, good in calls.items():
        if "starts" in good:
            for starts in FALLING:
                yield name, good | {"starts": np.array(starts, "int32")}
        if name in ("gather", "scatter"):
            for number in (-1, 12, 2**31 - 1, -(2**31)):
                numbers = np.array([*NUMBERS[:-1], number], "int32")
                yield name, good | {"numbers": numbers}
        if "threads" in good:
            yield name, good | {"threads": 0}
            yield name, good | {"threads": -3}
    scatter, fit = calls["scatter"], calls["fit"]
    yield "gather", calls["gather"] | {"source": floats(11, 2)}
    yield "scatter", scatter | {"numbers": NUMBERS[::-1].copy()}
    yield "scatter", scatter | {"numbers": np.repeat(NUMBERS[:1], len(NUMBERS))}
    for size in (-1, 11, -(2**31)):
        yield "scatter", scatter | {"size": size}
    huge = np.zeros([0, 2**31 - 100], "float32")
    none = {"packed": huge, "numbers": NUMBERS[:0], "size": 2**31 - 100}
    yield "scatter", none
    for name in ("unpack", "unpack_back"):  # as many steps, in other rows
        yield name, calls[name] | {"mask": MASK[::-1].copy()}
        yield name, calls[name] | {"mask": ~MASK}
    for shape in ([2**16, 2**15], [2**31 - 1, 2**31 - 1], [-1, 4], [4, -1], [3]):
        yield "starts", {"shape": shape}
    for key, shapes in FOREIGN_SHAPES.items():
        for shape in shapes:
            yield "fit", fit | {key: shape}


FOREIGN_SHAPES = {
    "x": ([3, 0, 2], [4, 4, 2], [3, 5, 2], [0, 4, 2]),
    "h": ([3, 9], [3, 1], [2, 5], [0, 5], [1, 1]),
    "c": ([3, 9], [4, 5], [3, 0]),
    "mask": ([3, 5], [2, 4], [3, 1], [0, 4], [3], [3, 4, 1]),
}


def call(name: str, arguments: dict) -> list[np.ndarray]:
    given = {
        key: tf.constant(value) if isinstance(value, np.ndarray) else value
        for key, value in arguments.items()
    }
    found = getattr(library()[0], f"keras_seq_{name}")(**given)
    return [np.array(each) for each in tf.nest.flatten(found)]


def refusal(name: str, arguments: dict) -> str:
    """The message of InvalidArgument, or the word "answered"."""
    try:
        call(name, arguments)
    except (tf.errors.InvalidArgumentError, ValueError) as error:
        return str(error)
    return "answered"


def _refused(name: str, arguments: dict) -> None:
    if refusal(name, arguments) == "answered":
        shapes = {key: np.shape(value) for key, value in arguments.items()}
        raise AssertionError(f"{name} answered {shapes}")


def main(count: int) -> None:
    assert library()[0] is not None, library()[1]
    for name, arguments in good_calls().items():
        call(name, arguments)
        for wrong in bad_shapes(name):
            _refused(name, wrong)
    for name, wrong in bad_contents():
        _refused(name, wrong)
    found = [text for case in cases(count) if (text := difference(case))]
    print("\n".join(found[:20]), len(found), "of", count, "differ; ", library()[1])
    sys.exit(bool(found))


if __name__ == "__main__":
    main(int(sys.argv[1]))
