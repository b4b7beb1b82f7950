"""Means over seeds with their standard errors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Mean:
    """Mean over n seeds, and its standard error (NaN for one seed)."""

    value: float
    error: float
    n: int

    def __str__(self) -> str:
        digits = 2 if self.value < 20 and self.error < 0.1 else 1
        return f"{self.value:.{digits}f}" + (f" ± {self.error:.{digits}f}" if self.n > 1 else "")


def mean(values: Sequence[float]) -> Mean:
    """Mean and standard error."""
    numbers = np.asarray(values, dtype=float)
    error = float(numbers.std(ddof=1) / math.sqrt(numbers.size)) if numbers.size > 1 else math.nan
    return Mean(float(numbers.mean()), error, numbers.size)
