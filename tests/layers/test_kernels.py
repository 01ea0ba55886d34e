"""The operations of the C++ kernels, called by hand with what does not fit."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from keras_seq.layers.native_build import library
from tests.layers.recurrent_cases import (
    STARTS,
    bad_contents,
    bad_shapes,
    call,
    floats,
    good_calls,
    refusal,
)

pytestmark = pytest.mark.skipif(
    library()[1] in ("no C++ compiler", "KERAS_SEQ_NATIVE=0"), reason=library()[1]
)
every_operation = pytest.mark.parametrize("name", good_calls())


@every_operation
def test_every_wrong_shape_is_an_invalid_argument(name: str):
    assert call(name, good_calls()[name])
    answered = [
        {key: np.shape(value) for key, value in wrong.items()}
        for wrong in bad_shapes(name)
        if refusal(name, wrong) == "answered"
    ]
    assert not answered


@pytest.mark.parametrize(("name", "arguments"), list(bad_contents()))
def test_numbers_that_point_elsewhere_are_an_invalid_argument(name, arguments):
    assert refusal(name, arguments) != "answered"


MESSAGES = [
    ("lstm", {"h0": floats(4, 9)}, "h0 is not (B, U), U = 5; given inputs (7, 20)"),
    ("gru", {"bias": floats(2, 7)}, "bias is not (2, GU), G = 3, U = 5"),
    ("simple", {"starts": STARTS[None]}, "starts is not (B+1), B = 3"),
    ("lstm_back", {"dh_all": floats(6, 5)}, "dh_all has not one row a step"),
    ("gru_back", {"starts": STARTS[::-1].copy()}, "starts do not rise from 0 to 7"),
    ("unpack", {"mask": np.ones((3, 4), bool)}, "the mask counts other steps"),
    ("gather", {"source": floats(3, 2)}, "numbers do not lie in [0, 3)"),
    ("scatter", {"size": -5}, "size is -5"),
    ("fit", {"h": [3, 9]}, "sequences (3, 4, 2), states (3, 9) and (3, 5), mask"),
    ("lstm", {"threads": 0}, "threads"),
]


@pytest.mark.parametrize(("name", "wrong", "expected"), MESSAGES)
def test_the_message_has_the_shapes(name: str, wrong: dict, expected: str):
    assert expected in refusal(name, good_calls()[name] | wrong)


@every_operation
def test_a_graph_with_known_shapes_is_refused_when_it_is_built(name: str):
    good = good_calls()[name]
    key = next(key for key, value in good.items() if np.ndim(value))
    like = np.asarray(good[key])
    deeper = like[None, None].astype("int32" if like.dtype == int else like.dtype)
    wrong = good | {key: deeper}
    with tf.Graph().as_default(), pytest.raises(ValueError, match=f"{key} is not"):
        getattr(library()[0], f"keras_seq_{name}")(
            **{k: tf.constant(v) if np.ndim(v) else v for k, v in wrong.items()}
        )


def test_what_is_empty_is_answered_empty():
    none = np.zeros([0, 4], bool)
    numbers, starts = call("plan", {"mask": none})
    assert numbers.shape == (0,) and starts.tolist() == [0]
    good = good_calls()["lstm"] | {"starts": starts}
    for key in ("inputs", "source", "h0", "c0"):
        good[key] = good[key][:0]
    assert [each.shape for each in call("lstm", good)[:3]] == [(0, 5)] * 3


@pytest.mark.slow
def test_address_sanitizer_finds_nothing(root: Path, tmp_path: Path):
    """Each case again, in a process whose kernels are compiled with it."""
    compiler = tmp_path / "g++"
    compiler.write_text(
        '#!/bin/sh\nexec g++ -fsanitize=address -fno-omit-frame-pointer -g "$@"\n'
    )
    compiler.chmod(0o755)
    # It watches exceptions, too, so it must find the C++ library from the start.
    libraries = [_library(name) for name in ("libasan.so", "libstdc++.so.6")]
    if not all(map(os.path.isabs, libraries)):
        pytest.skip("no libasan")
    environment = os.environ | {
        "ASAN_OPTIONS": "detect_leaks=0",  # Python never frees all
        "CXX": str(compiler),
        "KERAS_SEQ_CACHE": str(tmp_path),
        "LD_PRELOAD": " ".join(libraries),
        "PYTHONPATH": str(root),
    }
    command = [sys.executable, "-m", "tests.layers.recurrent_cases", "2000"]
    done = subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-6000:]
    assert "0 of 2000 differ" in done.stdout and "AddressSanitizer" not in done.stderr
    built = next((tmp_path / "native").glob("*.so"))
    assert b"__asan_report_load" in built.read_bytes()


def _library(name: str) -> str:
    asked = ["g++", f"-print-file-name={name}"]
    return subprocess.run(asked, capture_output=True, text=True).stdout.strip()
