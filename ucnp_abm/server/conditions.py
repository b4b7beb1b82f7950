"""A breakpoint: an expression over columns of events, read from a white list and evaluated for all events at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.errors import BadInput
from ucnp_abm.server.expressions import TRUTH
from ucnp_abm.server.grammar import COSTLY, NAMES, Reader, checked, tree

__all__ = ["COSTLY", "NAMES", "Condition"]


class Condition:
    """A condition, such as ``event.verb == 'dock' and site.layer != 'core'``.

    It means what it means in Python, with three things narrowed: an event at which Python would divide by zero, or
    compare something that is no number (NaN), is never a hit; texts are equal or not, but have no order; and a number
    is no condition by itself. Numbers are floats, exact to 2**53.

    Parameters
    ----------
    text : str
    allowed : mapping, optional
        Columns of texts to all the values that they can have.

    Attributes
    ----------
    text : str
        As it was given, without the space around it.
    reads : frozenset of str
        The columns that it looks at.

    Raises
    ------
    BadInput
        If it is no condition: what was found, where, and what is allowed there.

    Examples
    --------
    >>> near = Condition("event.species == 'Yb' and 2 * site.r_nm < 5")
    >>> near.where({"event.species": np.array(["Yb", "Gd", "Yb"]), "site.r_nm": np.array([1.0, 1.0, 3.0])})
    array([ True, False, False])
    >>> Condition("event.kind == 'dock'")
    Traceback (most recent call last):
    ...
    ucnp_abm.errors.BadInput: the condition reads 'event.kind' (column 1); did you mean 'event.site'?
    """

    def __init__(self, text: str, allowed: Mapping[str, Collection[str]] | None = None) -> None:
        self.text = checked(text)
        reader = Reader(self.text, allowed or {})
        part = reader.part(tree(self.text), 0)
        if part.kind != TRUTH:
            raise BadInput(
                f"the condition is a {part.kind}, neither true nor false; compare it with another {part.kind}"
            )
        self.reads = frozenset(reader.reads)
        self._part = part

    @property
    def costly(self) -> bool:
        """Whether the laws must be asked for it."""
        return not self.reads.isdisjoint(COSTLY)

    def where(self, columns: Mapping[str, Any] | Callable[[str], Any], n: int | None = None) -> NDArray[np.bool_]:
        """Where it holds.

        Parameters
        ----------
        columns : mapping, or callable of a name
            To arrays of equal length, or single values. Each is asked for once, and only if it can still matter: of
            ``a and b``, the columns of b are not asked for where a holds nowhere.
        n : int, optional
            Events; without it, the result has the shape of what was asked for, which may be none.
        """
        ask = columns if callable(columns) else columns.__getitem__
        known: dict[str, Any] = {}

        def fetch(name: str) -> Any:
            if name not in known:
                known[name] = ask(name)
            return known[name]

        with np.errstate(all="ignore"):
            holds, undefined = self._part.value(fetch)
        hits = np.asarray(holds & ~undefined)
        return hits if n is None else np.broadcast_to(hits, (n,)).copy()

    def __repr__(self) -> str:
        return f"Condition({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Condition) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)
