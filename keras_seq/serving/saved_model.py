"""A trained model as a TensorFlow Serving version: whole, proven, or not there.

`export` traces signatures, writes them aside, proves them in a fresh process and only
then gives the folder its number. It is independent of tasks: texts, price windows, wav
bytes and prompts are all named tensors here.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_seq.errors import UserError
from keras_seq.evaluation.finite_weights import broken_weights, listed_weights
from keras_seq.files import plain, write_json
from keras_seq.log import stage
from keras_seq.serving.exported import (
    DEFAULT,
    EXTRA,
    MODEL_JSON,
    Exported,
    load_exported,
)
from keras_seq.serving.facts import DIGEST, RESERVED, facts_digest, versions
from keras_seq.serving.folder import hidden_folder, publish
from keras_seq.serving.graph import (
    Signature,
    as_arrays,
    describe,
    save_signatures,
    tensor_specs,
    trace_signatures,
    without_cudnn,
)
from keras_seq.serving.proof import ask_fresh_process, compare_answers, shown
from keras_seq.serving.warmup import WARMUP_FILE, write_warmup_requests

Proof = tuple[Mapping[str, Any], Mapping[str, Any]]  # examples, and what is expected

__all__ = ["ExportError", "Exported", "export", "load_exported", "without_cudnn"]


class ExportError(RuntimeError):
    """The SavedModel does not answer as Python does; nothing was exported."""


def export(
    module: tf.Module,
    export_dir: str | Path,
    *,
    signatures: Mapping[str, Signature],
    examples: Mapping[str, Any],
    expected: Mapping[str, Any],
    metadata: Mapping[str, Any],
    models: Sequence[keras.Model] = (),
    tolerance: float = 1e-5,
    absolute: np.ndarray | float | None = None,
    extra_files: Mapping[str, Callable[[Path], object]] | None = None,
    proofs: Mapping[str, Proof] | None = None,
) -> Path:
    """Export signatures as the next version of a model, and prove them.

    The version is written to a hidden folder next to its place, loaded and asked in a
    fresh process without keras_seq and without a GPU, flushed to disk and renamed:
    it is whole or absent, and two exports at once get two numbers. Only the variables
    and tables that the signatures use are saved: no optimizer, no metrics.

    Args:
        module: holds, as attributes, every model and lookup table that is used.
        export_dir: the model's folder, `saved_models/<stem>`; made when missing.
        signatures: name to a (function, [TensorSpec, ...]) pair, traced here, or to
            a ConcreteFunction. `serving_default` must be among them. The function
            returns a dict of tensors.
        examples: one batch of raw inputs for `serving_default`, held out from training.
        expected: what Python answers to `examples`. On a machine with a GPU compute
            it inside `without_cudnn(models)` and `tf.device("CPU")`: a GPU rounds.
        metadata: facts for `assets.extra/model.json`: task, labels, metrics, data ...
            NumPy values and paths become plain ones, NaN and infinity become null.
        models: Keras models inside `module`, traced without cuDNN's GPU-only kernels.
        tolerance: allowed difference of floats, relative, and absolute where that is
            not given. Default 1e-5.
        absolute: allowed difference in the floats' own units, one number or one for
            each place of their last axis.
        extra_files: name to a function that writes it, for `assets.extra/`.
        proofs: further signatures to ask: name to its examples and what is expected.
            Where `serving_default` answers in words, one that answers in numbers.

    Returns:
        The version's folder, `export_dir/<N>`.

    Raises:
        ExportError: the proof failed; the message names the first differing sample.
        UserError: `export_dir` cannot be made or written; or weights, or what Python
            answers, hold NaN.
        ValueError: examples, expected, metadata and signatures do not fit together.

    Example:

    >>> import tempfile, tensorflow as tf
    >>> spec = tf.TensorSpec([None], tf.string, name="text")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     version = export(
    ...         tf.Module(), folder + "/shout",
    ...         signatures={"serving_default": (
    ...             lambda text: {"shout": tf.strings.upper(text)}, [spec])},
    ...         examples={"text": ["ok"]}, expected={"shout": ["OK"]},
    ...         metadata={"task": "shout"})
    ...     shout = load_exported(folder + "/shout").signature()
    >>> version.name, shout(text=tf.constant(["hi"]))["shout"].numpy().tolist()
    ('1', [b'HI'])
    """
    facts = _check_arguments(signatures, metadata)
    export_dir = Path(export_dir)
    with hidden_folder(export_dir) as hidden:
        version = hidden / "version"
        with stage("exporting"):
            with without_cudnn(models):
                traced = trace_signatures(signatures)
            _check_weights(models, traced)
            constants = {DIGEST: facts_digest(facts)}
            graph = save_signatures(module, traced, version, constants)
        served = graph.signature_def[DEFAULT]
        inputs = as_arrays("examples", examples, served.inputs)
        answers = as_arrays("expected", expected, served.outputs)
        requests = _warmup_requests(served, inputs)
        extra = version / EXTRA
        extra.mkdir()
        stem = export_dir.resolve().name
        write_warmup_requests(extra / WARMUP_FILE, stem, requests)
        for name, write in (extra_files or {}).items():
            write(extra / name)
        facts["signatures"] = describe(graph)
        facts["versions"] = versions()
        asked, wanted = dict(inputs), dict(answers)
        for name, (given, answered) in (proofs or {}).items():
            own = graph.signature_def[name]
            given = as_arrays(f"proofs[{name!r}]", given, own.inputs)
            answered = as_arrays(f"proofs[{name!r}]", answered, own.outputs)
            asked |= {f"{name}/{key}": value for key, value in given.items()}
            wanted |= {f"{name}/{key}": value for key, value in answered.items()}
        with stage("proving"):
            facts["proof"] = _prove(version, asked, wanted, tolerance, absolute)
        write_json(extra / MODEL_JSON, facts)
        return publish(version, export_dir)


def _check_arguments(
    signatures: Mapping[str, Signature], metadata: Mapping[str, Any]
) -> dict[str, Any]:
    """The metadata as plain values; wrong arguments raise before any work is done."""
    if DEFAULT not in signatures:
        raise ValueError(f"signatures has {sorted(signatures)} but no {DEFAULT!r}")
    taken = sorted(set(RESERVED) & set(metadata))
    if taken:
        raise ValueError(f"metadata has {taken}, which export writes itself; rename")
    return plain(dict(metadata))


def _check_weights(models: Sequence[keras.Model], traced: Mapping[str, Any]) -> None:
    """Refuses weights that are no numbers before anything is written."""
    paths = {id(w.value): w.path for model in models for w in model.weights}
    variables = {id(v): v for each in traced.values() for v in each.variables}
    broken = broken_weights(variables.values(), paths)
    if broken:
        raise UserError(
            f"the model's weights hold NaN or Inf: {listed_weights(broken)}; nothing "
            "was exported; train again"
        )


def _warmup_requests(
    served: Any, inputs: dict[str, np.ndarray]
) -> list[dict[str, np.ndarray]]:
    """One request of a single sample, as most are, and one of the whole batch."""
    specs = tensor_specs(served.inputs)
    batched = [n for n, s in specs.items() if s.shape.rank and s.shape[0] is None]
    single = inputs | {name: inputs[name][:1] for name in batched}
    return [single, inputs] if batched else [inputs]


def _prove(
    version: Path,
    inputs: dict[str, np.ndarray],
    expected: dict[str, np.ndarray],
    tolerance: float,
    absolute: np.ndarray | float | None,
) -> dict[str, Any]:
    """The proof for model.json, or ExportError."""
    start = time.monotonic()
    for name, value in expected.items():
        if value.dtype != object and np.isnan(value.astype(np.float64)).any():
            raise UserError(
                f"the model answers the examples with NaN in {name!r}; nothing was "
                "exported; train again"
            )
    try:
        answers = ask_fresh_process(version, inputs)
    except RuntimeError as error:
        raise ExportError(
            f"the SavedModel gave no answer without keras_seq: {error}"
        ) from error
    largest, difference = compare_answers(answers, expected, tolerance, absolute)
    if difference:
        sample, sentence = difference
        where = "" if sample < 0 else f"sample {sample}: "
        inputs_shown = ", ".join(
            f"{name}={shown(value[sample])}"
            for name, value in inputs.items()
            if value.ndim and 0 <= sample < len(value)
        )
        raise ExportError(
            f"the SavedModel does not answer as Python does; {where}{sentence}"
            + (f" ({inputs_shown})" if inputs_shown else "")
        )
    return {
        "samples": max((len(v) for v in expected.values() if v.ndim), default=1),
        "signatures": sorted({n.rpartition("/")[0] or DEFAULT for n in expected}),
        "max_abs_difference": largest,
        "tolerance": {
            "absolute": plain(tolerance if absolute is None else absolute),
            "relative": tolerance,
        },
        "seconds": round(time.monotonic() - start, 3),
    }
