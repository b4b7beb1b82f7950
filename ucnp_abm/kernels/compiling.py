"""The one way into numba: helpers that are inlined into loops, and loops whose cache knows the text of all of them.

numba's cache compares the time stamp of one file. A loop that is made of helpers in several files would go stale
without a word, so every loop closes over a hash of all kernel files, which numba makes part of the cache's key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic, overload, register_jitable

Function = TypeVar("Function", bound=Callable[..., Any])


def text_of_all() -> str:
    """SHA-256 of all files in this folder."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def helper(function: Function) -> Function:
    """A plain function that is also compiled, inlined, into every loop that calls it.

    No reference counting (`_nrt`): the arrays outlive the loop, and counting 40 of them at each call would cost far
    more than the event itself.
    """
    jitable: Function = register_jitable(_nrt=False, forceinline=True, error_model="numpy")(function)
    return jitable


def compiled(function: Function) -> Function:
    """The function, compiled at its first call and cached; it must close over `text_of_all()`."""
    loop: Function = njit(cache=True, nogil=True, _nrt=False, error_model="numpy")(function)
    return loop


@intrinsic  # type: ignore[untyped-decorator]
def _product_high(typingctx: Any, a: Any, b: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        wide = cgutils.ir.IntType(128)
        product = builder.mul(builder.zext(args[0], wide), builder.zext(args[1], wide))
        return builder.trunc(builder.lshr(product, wide(64)), cgutils.ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), codegen


def multiply(a: Any, b: Any) -> Any:
    """High and low word of a 64 x 64-bit product; the one helper whose compiled text differs."""
    product = int(a) * int(b)
    return np.uint64(product >> 64), np.uint64(product & 0xFFFFFFFFFFFFFFFF)


@overload(multiply)
def _multiply_compiled(a, b):  # type: ignore[no-untyped-def]
    return lambda a, b: (_product_high(a, b), a * b)


@intrinsic  # type: ignore[untyped-decorator]
def _fetch_compiled(typingctx: Any, array: Any, index: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        place = builder.bitcast(builder.gep(data, [args[1]]), cgutils.voidptr_t)
        kind = cgutils.ir.FunctionType(cgutils.ir.VoidType(), [cgutils.voidptr_t, *[cgutils.int32_t] * 3])
        hint = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(hint, [place, *(cgutils.int32_t(flag) for flag in (0, 3, 1))])
        return context.get_dummy_value()

    return types.void(array, types.uint64), codegen


def fetch(array: Any, index: Any) -> None:
    """Hint that an element will be needed soon; it changes nothing (and does nothing when interpreted)."""


@overload(fetch)
def _fetch_overload(array, index):  # type: ignore[no-untyped-def]
    return lambda array, index: _fetch_compiled(array, np.uint64(index))
