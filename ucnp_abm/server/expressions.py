"""Parts of a condition: each knows its kind and its values over all events, and where these are not defined."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

NUMBER, TEXT, TRUTH = "number", "text", "truth value"
"""Kinds. A number is an array of float64, NaN where undefined; a text one of str; a truth value two of bool: where it
holds, and where Python would have raised on the way to it."""

Fetch = Callable[[str], Any]
Truth = tuple[NDArray[np.bool_], NDArray[np.bool_]]


@dataclass(frozen=True)
class Part:
    """One node of an expression.

    Parameters
    ----------
    kind : str
    name : str
        How an error calls it.
    value : callable
        Of a function that fetches columns.
    given : number, str, bool or None
        What a constant is.
    """

    kind: str
    name: str
    value: Callable[[Fetch], Any]
    given: float | str | bool | None = None


def column(name: str, kind: str) -> Part:
    """A column."""
    if kind == TEXT:
        return Part(kind, name, lambda fetch: np.asarray(fetch(name)))
    return Part(kind, name, lambda fetch: np.asarray(fetch(name), dtype=np.float64))


def constant(given: float | str | bool) -> Part:
    """The same value for all events."""
    if isinstance(given, bool):
        truth = (np.array(given), np.array(False))
        return Part(TRUTH, str(given), lambda fetch: truth, given)
    value = np.array(given) if isinstance(given, str) else np.array(given, dtype=np.float64)
    return Part(TEXT if isinstance(given, str) else NUMBER, repr(given), lambda fetch: value, given)


def _divided(left: NDArray[np.float64], right: NDArray[np.float64]) -> Any:
    return np.where(right == 0, np.nan, left / right)


_SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": _divided,
    "%": np.mod,  # NaN of itself where Python would divide by zero
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "min": np.minimum,
    "max": np.maximum,
}


def arithmetic(sign: str, left: Part, right: Part) -> Part:
    """Two numbers, joined."""
    apply = _SIGNS[sign]
    return Part(NUMBER, "the result", lambda fetch: apply(left.value(fetch), right.value(fetch)))


def negative(part: Part) -> Part:
    """A number with the other sign."""
    return Part(NUMBER, "the result", lambda fetch: np.negative(part.value(fetch)))


def size(part: Part) -> Part:
    """A number without its sign."""
    return Part(NUMBER, "the result", lambda fetch: np.abs(part.value(fetch)))


def extreme(name: str, parts: Sequence[Part]) -> Part:
    """The least or the greatest of some numbers; undefined if one is."""
    return Part(NUMBER, "the result", lambda fetch: reduce(_SIGNS[name], [part.value(fetch) for part in parts]))


def compared(sign: str, left: Part, right: Part) -> Part:
    """Two of the same kind, compared."""
    apply = _SIGNS[sign]

    def numbers(fetch: Fetch) -> Truth:
        a, b = left.value(fetch), right.value(fetch)
        return apply(a, b), np.isnan(a) | np.isnan(b)

    def texts(fetch: Fetch) -> Truth:
        same = np.asarray(apply(left.value(fetch), right.value(fetch)), dtype=bool)
        return same, np.array(False)

    def truths(fetch: Fetch) -> Truth:
        (a, a_undefined), (b, b_undefined) = left.value(fetch), right.value(fetch)
        return apply(a, b), a_undefined | b_undefined

    return Part(TRUTH, "a comparison", {NUMBER: numbers, TEXT: texts, TRUTH: truths}[left.kind])


def member(left: Part, values: Sequence[Part]) -> Part:
    """Whether something is one of a list."""
    defined = compared("==", left, left)  # an undefined number is undefined, also in an empty list

    def value(fetch: Fetch) -> Truth:
        _, undefined = defined.value(fetch)
        holds = reduce(np.logical_or, [compared("==", left, each).value(fetch)[0] for each in values], np.array(False))
        return holds, undefined

    return Part(TRUTH, "a comparison", value)


def inverse(part: Part) -> Part:
    """Not."""

    def value(fetch: Fetch) -> Truth:
        holds, undefined = part.value(fetch)
        return ~holds, undefined

    return Part(TRUTH, "a comparison", value)


def both(parts: Sequence[Part]) -> Part:
    """All of them, asked from the left; the next is asked, and can be undefined, only where all before hold."""

    def value(fetch: Fetch) -> Truth:
        holds, undefined = parts[0].value(fetch)
        for part in parts[1:]:
            if not np.any(holds & ~undefined):
                break
            next_holds, next_undefined = part.value(fetch)
            undefined = undefined | (holds & next_undefined)
            holds = holds & next_holds
        return holds, undefined

    return parts[0] if len(parts) == 1 else Part(TRUTH, "a comparison", value)


def either(parts: Sequence[Part]) -> Part:
    """Any of them, asked from the left; the next is asked, and can be undefined, only where none before holds."""

    def value(fetch: Fetch) -> Truth:
        holds, undefined = parts[0].value(fetch)
        for part in parts[1:]:
            if np.all(holds | undefined):
                break
            next_holds, next_undefined = part.value(fetch)
            undefined = undefined | (~holds & next_undefined)
            holds = holds | next_holds
        return holds, undefined

    return parts[0] if len(parts) == 1 else Part(TRUTH, "a comparison", value)
