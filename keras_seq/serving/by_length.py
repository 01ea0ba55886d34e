"""Any number of rows of any length through a signature: in batches of like length."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from typing import Any, TypeVar

import numpy as np
import tensorflow as tf

ROWS_READ, BATCH_ROWS, BATCH_STEPS = 4096, 64, 16_384
BATCH_FILES = 16
Row = TypeVar("Row", bound=Sized)
Answer = TypeVar("Answer")


def as_text(value: Any) -> Any:
    """What a signature answers, with bytes as text; arrays and numbers stay.

    Example:

    >>> as_text("好".encode())
    '好'
    """
    return value.decode("utf-8") if isinstance(value, bytes) else value


def plain_answer(value: Any) -> Any:
    """One row of what a signature answers: texts, numbers; numeric arrays stay.

    Example:

    >>> plain_answer(np.array([b"a", b""], object)), plain_answer(np.float32(0.5))
    (['a', ''], 0.5)
    """
    if isinstance(value, np.ndarray) and value.dtype == object:
        return [each.decode("utf-8", "replace") for each in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, np.ndarray) else value.item()


def answers_in_batches(
    ask: Callable[[Sequence[Any]], Mapping[str, tf.Tensor]],
    rows: Iterable[Any],
) -> Iterator[dict[str, Any]]:
    """Answers to rows one by one, in order, where no row is longer than another.

    Example:

    >>> ask = lambda files: {"size": tf.constant([len(file) for file in files])}
    >>> list(answers_in_batches(ask, [b"abc", b"a"]))
    [{'size': 3}, {'size': 1}]
    """
    rows = iter(rows)
    while some := list(itertools.islice(rows, BATCH_FILES)):
        arrays = {name: values.numpy() for name, values in ask(some).items()}
        for row in range(len(some)):
            yield {name: plain_answer(values[row]) for name, values in arrays.items()}


def answers_in_order(
    ask: Callable[[Sequence[Row]], Mapping[str, tf.Tensor]],
    rows: Iterable[Row],
    plain: Callable[[Mapping[str, np.ndarray]], Answer],
    batch_rows: int = BATCH_ROWS,
    batch_steps: float = BATCH_STEPS,
) -> Iterator[Answer]:
    """Answers to rows one by one, in order; a batch is padded to its longest row.

    Args:
        ask: from some rows to tensors whose first axis is that of the rows.
        rows: texts, or lists of words; read a few thousand at a time.
        plain: from one row of each tensor to its answer.
        batch_rows: most rows of a batch.
        batch_steps: most steps of one, padding included.

    Example:

    >>> def ask(texts):
    ...     print("asked", texts)
    ...     return {"size": tf.constant([len(text) for text in texts])}
    >>> list(answers_in_order(ask, ["abc", "a"], lambda row: int(row["size"])))
    asked ['a', 'abc']
    [3, 1]
    """
    rows = iter(rows)
    while chunk := list(itertools.islice(rows, ROWS_READ)):
        answers: dict[int, Answer] = {}
        order = sorted(range(len(chunk)), key=lambda number: len(chunk[number]))
        while order:
            # The longest of a batch is its last: fewer rows where they are long.
            size = min(batch_rows, len(order))
            while size > 1 and size * len(chunk[order[size - 1]]) > batch_steps:
                size //= 2
            numbers, order = order[:size], order[size:]
            batch = ask([chunk[number] for number in numbers])
            arrays = {name: value.numpy() for name, value in batch.items()}
            for row, number in enumerate(numbers):
                answers[number] = plain({k: v[row] for k, v in arrays.items()})
        yield from (answers[number] for number in range(len(chunk)))
