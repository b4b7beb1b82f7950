"""Import Mesa without its side effects.

Mesa 3.3 to 3.5 force the process start method to 'spawn', and import a progress bar that complains in notebooks.
"""

from __future__ import annotations

import multiprocessing
import warnings

_before = multiprocessing.get_start_method(allow_none=True)

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message="IProgress not found")
    import mesa

if multiprocessing.get_start_method(allow_none=True) != _before:
    multiprocessing.set_start_method(_before, force=True)

__all__ = ["mesa"]
