"""All that decides the answers of a law, as text: its code, what is bound to it, and what it names.

Comments, docstrings and line numbers are not in it, addresses neither; the byte code is, so it holds for one version
of Python.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping, Set
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

_DEEP = 40


def text_of(value: Any, depth: int = _DEEP, seen: set[int] | None = None) -> str:
    """A law, or a value that it uses, as text that is the same in every process and differs if an answer can.

    What is no plain value, array, function or object with attributes is said by its type; so is what was said before,
    and what lies deeper than 40 references.

    Examples
    --------
    >>> text_of(functools.partial(max, 1.5)), text_of({"Yb": np.float64(0.1)})
    ('partial(max, (1.5), {})', "{'Yb': 0.1}")
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes)):
        return repr(value)
    seen = set() if seen is None else seen
    if depth == 0 or id(value) in seen:
        return type(value).__qualname__
    seen.add(id(value))

    def inner(one: Any) -> str:
        return text_of(one, depth - 1, seen)

    if isinstance(value, np.ndarray):
        return f"{value.dtype}{value.shape}{hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()}"
    if isinstance(value, (list, tuple)):
        return f"({', '.join(map(inner, value))})"
    if isinstance(value, Set):
        return f"{{{', '.join(sorted(map(inner, value)))}}}"
    if isinstance(value, Mapping):
        return f"{{{', '.join(sorted(f'{inner(k)}: {inner(v)}' for k, v in value.items()))}}}"
    if isinstance(value, functools.partial):
        return f"partial({inner(value.func)}, {inner(value.args)}, {inner(value.keywords)})"
    if isinstance(value, MethodType):
        return f"{inner(value.__func__)} of {inner(value.__self__)}"
    if isinstance(value, FunctionType):
        return _function(value, inner)
    if isinstance(value, (type, ModuleType)) or not hasattr(value, "__dict__"):
        return str(getattr(value, "__qualname__", getattr(value, "__name__", type(value).__qualname__)))
    call = vars(type(value)).get("__call__")
    return f"{type(value).__qualname__}({inner(vars(value))}, {inner(call)})"


def _function(function: FunctionType, inner: Any) -> str:
    cells = []
    for cell in function.__closure__ or ():
        try:
            cells.append(inner(cell.cell_contents))
        except ValueError:  # an empty cell
            cells.append("")
    named = sorted(set(_names(function.__code__)) & set(function.__globals__))
    outside = [(name, inner(function.__globals__[name])) for name in named]
    bound = [inner(function.__defaults__), inner(function.__kwdefaults__), inner(function.__dict__)]
    return f"{_code(function.__code__, function.__doc__)} {cells} {outside} {bound}"


def _names(code: CodeType) -> list[str]:
    inner = [name for one in code.co_consts if isinstance(one, CodeType) for name in _names(one)]
    return [*code.co_names, *inner]


def _code(code: CodeType, doc: str | None = None) -> str:
    consts = [one for n, one in enumerate(code.co_consts) if n or doc is None or one != doc]
    said = [_code(one) if isinstance(one, CodeType) else text_of(one) for one in consts]
    return f"{code.co_code.hex()} {code.co_names} {code.co_varnames} {code.co_freevars} {said}"
