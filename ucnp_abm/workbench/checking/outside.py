"""What a law reads that is neither its environment nor its own: globals, closures, defaults, attributes."""

from __future__ import annotations

import dis
import pickle
from collections.abc import Iterator, MutableMapping, MutableSequence, MutableSet
from dataclasses import dataclass
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from ucnp_abm.errors import shown
from ucnp_abm.rules.law import Law, function_of
from ucnp_abm.workbench.checking.finding import place_in

_NOTHING = object()


@dataclass(frozen=True)
class Outside:
    """Something that a law reads from outside.

    Attributes
    ----------
    what, name : str
        'the global' and its name.
    place : str
        Where it is read.
    holder : dict or cell
        What holds its value.
    owner : int
        Identity of what it belongs to: a module's globals, a cell, a function, an object.
    """

    what: str
    name: str
    place: str
    holder: Any
    owner: int

    @property
    def value(self) -> Any:
        """What it holds now."""
        if isinstance(self.holder, dict):
            return self.holder.get(self.name, _NOTHING)
        try:
            return self.holder.cell_contents
        except ValueError:  # an empty cell
            return _NOTHING

    @property
    def key(self) -> tuple[int, str]:
        """One for each thing, whoever reads it."""
        return self.owner, self.name

    @property
    def changeable(self) -> bool:
        """Whether it is a container that anybody may change."""
        value = self.value
        if isinstance(value, np.ndarray):
            return bool(value.flags.writeable)
        return isinstance(value, (MutableMapping, MutableSequence, MutableSet))

    def content(self) -> Any:
        """What tells its value now from that at another time."""
        value = self.value
        if value is None or isinstance(value, (str, bytes, bool, int)):
            return value
        if isinstance(value, float):
            return str(value)  # NaN is never NaN
        if isinstance(value, (ModuleType, FunctionType, type)):
            return id(value)
        try:
            return id(value), pickle.dumps(value)
        except Exception:  # it cannot be pickled, which is no fault: its text has to do
            return id(value), shown(value, 10_000)


def codes_of(code: CodeType) -> list[CodeType]:
    """A code object and those inside it."""
    return [code, *(inner for held in code.co_consts if isinstance(held, CodeType) for inner in codes_of(held))]


def own_lines(code: CodeType) -> set[int]:
    """Lines of code objects that can be run; the line of their `def` is none."""
    return {line for one in codes_of(code) for _, _, line in one.co_lines() if line and line != one.co_firstlineno}


def words_of(law: Law) -> set[str]:
    """All texts among the constants of a law and of the functions in its file that it calls."""
    found: set[str] = set()

    def take(constant: Any) -> None:
        if isinstance(constant, str):
            found.add(constant)
        elif isinstance(constant, (tuple, frozenset)):
            for one in constant:
                take(one)

    for function in functions_of(law):
        for code in codes_of(function.__code__):
            take(tuple(code.co_consts))
    return found


def functions_of(law: Law) -> list[FunctionType]:
    """The function of a law, and the functions of the same file that it names, and so on."""
    first = function_of(law)
    found = [] if first is None else [first]
    for function in found:
        for one in _names(function):
            value = one.value
            same_file = isinstance(value, FunctionType) and (
                value.__code__.co_filename == function.__code__.co_filename and value not in found
            )
            if same_file:
                found.append(value)
    return found


def outside_of(law: Law) -> list[Outside]:
    """Everything outside that a law and its helpers in the same file read, each name once."""
    found: dict[tuple[int, str], Outside] = {}
    for function in functions_of(law):
        for one in [*_names(function), *_kept(function)]:
            found.setdefault(one.key, one)
    owner = getattr(law, "__self__", law)  # of a method, its object
    state = {} if isinstance(owner, (FunctionType, ModuleType, type)) else getattr(owner, "__dict__", {})
    place = place_in(getattr(function_of(law), "__code__", None))
    named = [name for name in state if not name.startswith("__")]
    return [*found.values(), *(Outside("its own attribute", name, place, state, id(owner)) for name in named)]


def line_of(law: Law, constant: Any, name: str = "") -> int | None:
    """The line of a law, or of a helper in its file, on which a constant or a global name stands."""
    for function in functions_of(law):
        for code in codes_of(function.__code__):
            for one in dis.get_instructions(code):
                there = one.opname == "LOAD_GLOBAL" and one.argval == name if name else one.argval == constant
                if there and one.positions and (name or one.opname == "LOAD_CONST"):
                    return one.positions.lineno
    return None


def _names(function: FunctionType) -> Iterator[Outside]:
    """Globals and closure variables, where each is met first."""
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    for code in codes_of(function.__code__):
        for instruction in dis.get_instructions(code):
            name, line = instruction.argval, instruction.positions.lineno if instruction.positions else None
            if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME", "STORE_GLOBAL", "DELETE_GLOBAL"):
                if name in function.__globals__ or instruction.opname == "STORE_GLOBAL":
                    yield Outside(
                        "the global", name, place_in(code, line), function.__globals__, id(function.__globals__)
                    )
            elif name in cells and instruction.opname in ("LOAD_DEREF", "STORE_DEREF", "LOAD_CLASSDEREF"):
                yield Outside("the variable", name, place_in(code, line), cells[name], id(cells[name]))


def _kept(function: FunctionType) -> Iterator[Outside]:
    """What a function object keeps from call to call: defaults of arguments, and its attributes."""
    place = place_in(function.__code__)
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    defaults = function.__defaults__ or ()
    held = dict(zip(names[len(names) - len(defaults) :], defaults, strict=True)) | (function.__kwdefaults__ or {})
    for name in held:
        yield Outside("the default of the argument", name, place, held, id(function))
    for name in vars(function):
        if not name.startswith("_"):
            yield Outside("its own attribute", name, place, vars(function), id(function))
