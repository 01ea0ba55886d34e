"""Files that are read as an exported model's were: known before TensorFlow is imported.

What decides stands in model.json, so a wrong row is said at once.
"""

from collections.abc import Sequence
from pathlib import Path

from keras_seq.data.label_format import LabelFormat
from keras_seq.serving.exported import describe_exported

READING = ("label_separator", "label_columns")  # facts that evaluation reads data by
NUMBER = "number"  # the target of a text that has one


def label_format_of(
    model: Path, separator: str | None = None, columns: Sequence[str] | None = None
) -> LabelFormat:
    """How labels are read that an exported model is scored on.

    Args:
        model: folder of an export, or of one version.
        separator: between labels; None is that of its training.
        columns: of 0 and 1; None are those of its training.

    Raises:
        UserError: It is no export.
    """
    facts = describe_exported(model).metadata
    if facts.get("target") == NUMBER:
        return LabelFormat(separator, columns, "regression")
    if separator is None and columns is None:
        separator, columns = (facts.get(name) for name in READING)
    return LabelFormat(separator, columns)
