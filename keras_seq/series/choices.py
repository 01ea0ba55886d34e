"""What options of series choose between, without NumPy: `--help` answers at once."""

from typing import Literal

Fill = Literal["forward", "drop"]
TargetTransform = Literal["auto", "returns", "level"]
