"""The white list of conditions: what may stand in one, and where; anything else is told with its column."""

from __future__ import annotations

import ast
import math
import warnings
from collections.abc import Collection, Mapping

from ucnp_abm.errors import BadInput, nearest, shown
from ucnp_abm.server.expressions import (
    NUMBER,
    TEXT,
    TRUTH,
    Part,
    arithmetic,
    both,
    column,
    compared,
    constant,
    either,
    extreme,
    inverse,
    member,
    negative,
    size,
)

NAMES: Mapping[str, str] = {
    **dict.fromkeys(("event.verb", "event.species", "site.zone", "to.zone", "site.layer", "to.layer"), TEXT),
    **dict.fromkeys(("event.site", "event.to", "event.number", "event.time", "event.slot", "event.vacancy"), NUMBER),
    **dict.fromkeys(("event.rate", "event.barrier", "event.activation", "event.probability"), NUMBER),
    **dict.fromkeys(("site.r_nm", "to.r_nm", "site.coordination", "to.coordination"), NUMBER),
    **dict.fromkeys(("vacancies", "outside_core", "steps", "time"), NUMBER),
}
"""Columns, and whether each holds texts or numbers."""
COSTLY = frozenset({"event.rate", "event.barrier", "event.activation", "event.probability"})
"""Columns for which the laws must be asked, event by event."""
LENGTH, DEPTH, EXACT = 500, 40, 2**53
"""The longest text, the deepest nesting, and the last of the whole numbers that a float tells apart."""

_ARITHMETIC = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Mod: "%"}
_ORDER = {ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
_REFUSED = {
    ast.Pow: "'**'",
    ast.FloorDiv: "'//'",
    ast.Is: "'is' (write ==)",
    ast.IsNot: "'is not' (write !=)",
    ast.UAdd: "a leading '+'",
    ast.Invert: "'~' (write not)",
    ast.BitAnd: "'&' (write and)",
    ast.BitOr: "'|' (write or)",
    ast.NamedExpr: "':=' (write ==)",
    ast.Lambda: "a lambda",
    ast.IfExp: "'if … else'",
    ast.Subscript: "'[…]' behind a value",
    ast.Attribute: "'.' behind a value",
    ast.JoinedStr: "an f-string",
    ast.Starred: "'*'",
    ast.Tuple: "a list (except after in)",
    ast.List: "a list (except after in)",
    ast.Set: "a set",
    ast.Dict: "a dictionary",
}
_ALLOWED = "columns, numbers, texts, comparisons, in, and, or, not, + - * / %, abs, min, max"


def checked(text: str) -> str:
    """A text that is short and prints, without the space around it."""
    if not isinstance(text, str) or not text.strip():
        raise BadInput(f"the condition is {shown(text)}; allowed: a text such as event.verb == 'hop'")
    if len(text) > LENGTH:
        raise BadInput(f"the condition has {len(text)} characters; allowed: {LENGTH}")
    for k, letter in enumerate(text):
        if not letter.isprintable():
            raise BadInput(
                f"the condition has the character {letter!a} (column {k + 1}); allowed: one line that prints"
            )
    return text.strip()


def tree(text: str) -> ast.expr:
    """The syntax tree of a text; nothing of it is run."""
    try:
        with warnings.catch_warnings(action="ignore"):  # of escapes, and of numbers that touch words
            return ast.parse(text, mode="eval").body
    except SyntaxError as error:
        place = error.offset or 1
        why = "write == to compare" if text[place - 1 : place] == "=" else error.msg
        raise BadInput(f"the condition cannot be read: {why} (column {place})") from None
    except (ValueError, RecursionError, MemoryError, OverflowError):
        raise BadInput(f"the condition cannot be read: it is nested too deep; allowed: {DEPTH}") from None


class Reader:
    """Makes parts of nodes, and collects what they read."""

    def __init__(self, text: str, allowed: Mapping[str, Collection[str]]) -> None:
        self.text = text.encode()
        self.allowed = allowed
        self.reads: set[str] = set()

    def part(self, node: ast.AST, depth: int) -> Part:
        """What a node means."""
        if depth > DEPTH:
            raise BadInput(f"the condition is nested deeper than {DEPTH}")
        match node:
            case ast.Constant():
                return constant(self._constant(node))
            case ast.Name() | ast.Attribute() if name := _dotted(node):
                return self._column(node, name)
            case ast.UnaryOp(op=ast.USub()):
                part = self._of(NUMBER, node.operand, depth, "'-'")
                return constant(-part.given) if isinstance(part.given, int | float) else negative(part)
            case ast.UnaryOp(op=ast.Not()):
                return inverse(self._of(TRUTH, node.operand, depth, "not"))
            case ast.BinOp() if sign := _ARITHMETIC.get(type(node.op)):
                left, right = (self._of(NUMBER, side, depth, f"'{sign}'") for side in (node.left, node.right))
                return arithmetic(sign, left, right)
            case ast.BoolOp():
                join, word = (both, "and") if isinstance(node.op, ast.And) else (either, "or")
                return join([self._of(TRUTH, value, depth, word) for value in node.values])
            case ast.Compare():
                return self._chain(node, depth)
            case ast.Call(func=ast.Name(id="abs" | "min" | "max" as name), keywords=[]):
                parts = [self._of(NUMBER, each, depth, name) for each in node.args]
                if (name == "abs") != (len(parts) == 1) or not parts:
                    n = "one number" if name == "abs" else "two numbers or more"
                    raise BadInput(f"{name} is given {len(parts)} (column {self._place(node)}); allowed: {n}")
                return size(parts[0]) if name == "abs" else extreme(name, parts)
        raise self._refusal(node)

    def _of(self, kind: str, node: ast.AST, depth: int, what: str) -> Part:
        part = self.part(node, depth + 1)
        if part.kind != kind:
            need = "numbers" if kind == NUMBER else "comparisons"
            raise BadInput(f"{what} joins {need}, and {part.name} (column {self._place(node)}) is a {part.kind}")
        return part

    def _column(self, node: ast.AST, name: str) -> Part:
        if name not in NAMES:
            same = [f"'{known}'" for known in NAMES if known.rpartition(".")[2] == name.rpartition(".")[2]]
            guess = f"; did you mean {' or '.join(same)}?" if same else nearest(name, NAMES)
            raise BadInput(f"the condition reads {shown(name)} (column {self._place(node)}){guess}")
        self.reads.add(name)
        return column(name, NAMES[name])

    def _constant(self, node: ast.Constant) -> float | str | bool:
        value, where = node.value, self._place(node)
        if isinstance(value, bool) or (isinstance(value, str) and value.isprintable()):
            return value
        if isinstance(value, str):
            raise BadInput(f"the text {shown(value)} (column {where}) has letters that do not print")
        if not isinstance(value, int | float):
            raise BadInput(f"{shown(value)} (column {where}) is neither a number, nor a text, nor True or False")
        if value > EXACT if isinstance(value, int) else math.isinf(value):
            raise BadInput(f"a number (column {where}) is too large; allowed: whole ones to {EXACT}, others to 1e308")
        return value

    def _chain(self, node: ast.Compare, depth: int) -> Part:
        links, left_node = [], node.left
        left = self.part(left_node, depth + 1)
        for k, (op, right_node) in enumerate(zip(node.ops, node.comparators, strict=True), start=1):
            if isinstance(op, ast.In | ast.NotIn):
                if k < len(node.ops):
                    raise BadInput(f"a list (column {self._place(right_node)}) is compared; write and in between")
                links.append(self._member(left, right_node, depth, isinstance(op, ast.NotIn)))
                break
            sign = _ORDER.get(type(op))
            if sign is None:
                raise self._refusal(right_node, op)
            right = self.part(right_node, depth + 1)
            self._comparable(left, right, right_node)
            if left.kind != NUMBER and sign not in ("==", "!="):
                raise BadInput(f"'{sign}' compares numbers, and {left.name} is a {left.kind}; allowed: ==, !=")
            self._possible(left, right)
            self._possible(right, left)
            links.append(compared(sign, left, right))
            left = right
        return both(links)

    def _member(self, left: Part, node: ast.AST, depth: int, absent: bool) -> Part:
        if not isinstance(node, ast.Tuple | ast.List):
            raise BadInput(f"'in' needs a list (column {self._place(node)}), such as in ('hop', 'dock')")
        values = []
        for each in node.elts:
            part = self.part(each, depth + 1)
            if part.given is None:
                raise BadInput(f"the list holds {part.name} (column {self._place(each)}); allowed: numbers, texts")
            self._comparable(left, part, each)
            self._possible(left, part)
            values.append(part)
        return inverse(member(left, values)) if absent else member(left, values)

    def _comparable(self, left: Part, right: Part, node: ast.AST) -> None:
        if left.kind != right.kind:
            told = f"{left.name} is a {left.kind}, and {right.name} (column {self._place(node)}) is a {right.kind}"
            raise BadInput(f"{told}; they cannot be compared")

    def _possible(self, known: Part, given: Part) -> None:
        values = self.allowed.get(known.name, ())
        if known.kind == TEXT and isinstance(given.given, str) and values and given.given not in values:
            raise BadInput(f"{known.name} is never {shown(given.given)}{nearest(given.given, values)}")

    def _refusal(self, node: ast.AST, op: ast.AST | None = None) -> BadInput:
        what = _REFUSED.get(type(op or getattr(node, "op", node)), "this")
        if isinstance(node, ast.Call):
            what = f"a call of {shown(_dotted(node.func) or '…')}"
        return BadInput(f"{what} is not allowed (column {self._place(node)}); allowed: {_ALLOWED}")

    def _place(self, node: ast.AST) -> int:
        return len(self.text[: getattr(node, "col_offset", 0)].decode("utf-8", "ignore")) + 1  # ast counts bytes


def _dotted(node: ast.AST) -> str:
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(names)]) if isinstance(node, ast.Name) else ""
