"""The options of a script, written once: a dataclass, which `takes` makes arguments of.

The shell reads them by `cli_options`; from Python they are keywords. TensorFlow is not
imported, so that `--help` answers at once.
"""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, ParamSpec, TypeVar

P = ParamSpec("P")
Kind = TypeVar("Kind")
R = TypeVar("R")

# Options that tasks share, in the order in which they come behind a task's own.
SHARED = "epochs batch_size max_seconds limit seed run_dir export_dir resume strategy"


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What every verb takes that leaves a folder of a run.

    Args:
        limit: most samples to read; None reads all.
        seed: fixes splits, initial weights and shuffling.
        run_dir: what the run leaves; None makes a folder.
    """

    limit: int | None = None
    seed: int = 0
    run_dir: Path | None = None


@dataclass(frozen=True, kw_only=True)
class FitOptions(RunOptions):
    """What every verb takes that trains, once or several times.

    Args:
        epochs: most passes over train; None leaves it to the task.
        max_seconds: limit of the training; None has none.
    """

    epochs: int | None = None
    max_seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class TrainOptions(FitOptions):
    """What every `train` takes beside its data and its network.

    Args:
        batch_size: samples of a step; None leaves it to the task.
        export_dir: where the SavedModel's version goes; None is a folder with the
            name of the data.
        resume: go on with an interrupted run.
        strategy: devices to train on.
    """

    batch_size: int | None = None
    export_dir: Path | None = None
    resume: bool = False
    strategy: Literal["auto", "cpu", "gpu", "mirrored"] = "auto"


def takes(kind: Callable[P, Kind]) -> Callable[[Callable[[Kind], R]], Callable[P, R]]:
    """Makes a function of one dataclass a function of its fields, as keywords.

    Returns:
        A decorator. Editors, `inspect` and the shell see the fields; those that tasks
        share come last.

    Example:

    >>> @dataclass(frozen=True, kw_only=True)
    ... class Options(TrainOptions):
    ...     data: str = "-"
    >>> @takes(Options)
    ... def train(options: Options) -> str:
    ...     return f"{options.data} {options.seed}"
    >>> train(data="a.csv", seed=3), [*inspect.signature(train).parameters][:2]
    ('a.csv 3', ['data', 'epochs'])
    """

    def decorate(function: Callable[[Kind], R]) -> Callable[P, R]:
        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            return function(kind(*args, **kwargs))

        signature = inspect.signature(kind, eval_str=True)
        order = SHARED.split()
        by_origin = sorted(
            signature.parameters.values(),
            key=lambda p: order.index(p.name) if p.name in order else -1,
        )
        call.__signature__ = signature.replace(  # type: ignore[attr-defined]
            parameters=by_origin, return_annotation=function.__annotations__["return"]
        )
        return call

    return decorate
