"""A breakpoint means what its text means in Python, or is refused in one sentence."""

import re
import time
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ucnp_abm.errors import BadInput
from ucnp_abm.server.conditions import COSTLY, NAMES, Condition

COLUMNS = {
    "event.verb": np.array(["hop", "dock", "hop", "undock"]),
    "event.species": np.array(["Yb", "Gd", "Y", "Yb"]),
    "site.zone": np.array(["core", "shell", "core", ""]),
    "to.zone": np.array(["core", "core", "shell", ""]),
    "event.site": np.array([3, 0, 12, -1]),
    "event.to": np.array([0, 4, 5, -1]),
    "site.r_nm": np.array([0.5, 2.25, 0.0, 1.5]),
    "to.r_nm": np.array([0.5, 2.0, 1.0, 3.75]),
    "site.layer": np.array(["shell", "core", "surface", "surface"]),
    "vacancies": 4,
    "steps": np.arange(4),
}
WORDS = ("hop", "dock", "core", "Yb", "x y", "é")
quiet = settings(max_examples=400, deadline=None, derandomize=True, database=None)


def numbers(depth):
    leaf = st.sampled_from([name for name in COLUMNS if NAMES[name] == "number"]) | st.sampled_from(
        ["0", "1", "2", "3", "7", "0.5", "2.25", "1e1"]
    )
    if depth == 0:
        return leaf
    inner = numbers(depth - 1)
    return st.one_of(
        leaf,
        st.tuples(inner, st.sampled_from("+-*/%"), inner).map(" ".join).map("({})".format),
        inner.map("-{}".format),
        inner.map("abs({})".format),
        st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(lambda each: "{}({}, {})".format(*each)),
        st.tuples(st.sampled_from(["min", "max"]), inner, inner, leaf).map(lambda each: "{}({}, {}, {})".format(*each)),
    )


def conditions(depth):
    text = st.sampled_from([name for name in COLUMNS if NAMES[name] == "text"]) | st.sampled_from(WORDS).map(repr)
    order = st.sampled_from(["<", "<=", "==", "!=", ">", ">="])
    number = numbers(2)
    words = st.lists(st.sampled_from(WORDS), max_size=3)
    values = st.lists(st.sampled_from([-1, 0, 2, 2.25, 12]), max_size=3)
    inside = st.sampled_from(["in", "not in"])
    leaf = st.one_of(
        st.tuples(number, order, number).map(" ".join),
        st.tuples(number, order, number, order, number).map(" ".join),
        st.tuples(text, st.sampled_from(["==", "!="]), text).map(" ".join),
        st.tuples(text, inside, words.map(repr)).map(" ".join),
        st.tuples(number, inside, values.map(tuple).map(repr)).map(" ".join),
        st.tuples(number, order, number, inside, values.map(repr)).map(" ".join),
        st.sampled_from(["True", "False"]),
    )
    if depth == 0:
        return leaf
    inner = conditions(depth - 1)
    return st.one_of(
        leaf,
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(" ".join),
        st.tuples(inner, st.sampled_from(["==", "!="]), inner).map(lambda each: "({}) {} ({})".format(*each)),
        inner.map("({})".format),
        inner.map("not ({})".format),
    )


def in_python(text, row):
    """The same text, run by Python, on the event of one row."""
    names = {"event": SimpleNamespace(), "site": SimpleNamespace(), "to": SimpleNamespace()}
    for name, column in COLUMNS.items():
        value = column if np.ndim(column) == 0 else column[row].item()
        owner, _, last = name.rpartition(".")
        if owner:
            setattr(names[owner], last, value)
        else:
            names[last] = value
    try:
        return bool(eval(text, {"abs": abs, "min": min, "max": max, "__builtins__": {}}, names))
    except ZeroDivisionError:
        return False


@quiet
@given(conditions(2))
def test_a_condition_holds_where_python_says_so(text):
    if len(text) > 500:
        return
    condition = Condition(text)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = condition.where(COLUMNS, 4)
    assert not told
    assert found.dtype == bool
    assert found.tolist() == [in_python(text, row) for row in range(4)]
    assert condition.reads == set(re.findall(r"[a-z_]+\.[a-z_]+|steps|vacancies", text))


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("event.verb == 'dock'", [1]),
        ("event.verb != 'hop' and site.zone == 'shell'", [1]),
        ("site.zone == to.zone", [0, 3]),
        ("0 < site.r_nm <= 1.5", [0, 3]),
        ("event.site in (3, 12)", [0, 2]),
        ("event.species not in ['Yb', 'Gd']", [2]),
        ("-event.site % 5 == 2", [0]),
        ("vacancies == 4", [0, 1, 2, 3]),
        ("1 / event.site != 99", [0, 2, 3]),
        ("1 % event.site >= 0 or not 1 % event.site >= 0", [0, 2, 3]),
        ("event.site == 0 or 1 / event.site > 0.2", [0, 1]),
        ("1 / event.site > 0.2 or event.site == 0", [0]),
        ("not 1 / event.site > 0.2", [2, 3]),
        ("not (event.site == 3 and 1 / event.site > 9)", [0, 1, 2, 3]),
        ("not (event.site == 3 or 1 / event.site > 9)", [2, 3]),
    ],
)
def test_rows_known_by_hand(text, rows):
    assert np.flatnonzero(Condition(text).where(COLUMNS, 4)).tolist() == rows


@pytest.mark.parametrize("test", ["> 1", "!= 1", "in (1, 2)", "not in ()", "< 1 or 1 > 2"])
def test_what_is_no_number_is_no_hit(test):
    column = {"event.rate": np.array([np.nan, np.nan])}
    for text in (f"event.rate {test}", f"not event.rate {test.split(' or')[0]}", f"min(event.rate, 1) {test}"):
        assert not Condition(text).where(column, 2).any(), text


def test_columns_are_asked_for_once_and_only_where_they_matter():
    asked = []

    def column(name):
        asked.append(name)
        return COLUMNS[name] if name in COLUMNS else np.ones(4)

    near = Condition("event.verb == 'dock' and event.verb != 'hop' and event.rate > 0")
    assert near.where(column).tolist() == [False, True, False, False]
    assert asked == ["event.verb", "event.rate"]
    asked.clear()
    assert not Condition("event.verb == 'none' and event.rate > 0").where(column).any()
    assert Condition("steps >= 0 or event.rate > 0").where(column).all()
    assert asked == ["event.verb", "steps"]


def test_only_what_needs_the_laws_is_costly():
    for name, kind in NAMES.items():
        condition = Condition(f"{name} == {'1' if kind == 'number' else repr('a')}")
        assert condition.reads == {name}
        assert condition.costly == (name in COSTLY)
    assert len(COSTLY) == 4


def test_one_event_is_asked_with_single_values():
    condition = Condition("event.verb == 'hop' and site.r_nm < 1")
    assert condition.where({"event.verb": "hop", "site.r_nm": 0.5}).item() is True
    assert condition.where({"event.verb": "dock", "site.r_nm": 0.5}, 1).tolist() == [False]


def test_a_condition_is_its_text():
    assert Condition(" steps > 1 ") == Condition("steps > 1") != Condition("steps > 2")
    assert repr(Condition(" steps > 1 ")) == "Condition('steps > 1')"
    assert len({Condition("steps > 1"), Condition("steps > 1")}) == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("event.vreb == 'hop'", "reads 'event.vreb' (column 1); did you mean 'event.verb'?"),
        ("1 > 2 or rate > 1", "reads 'rate' (column 10); did you mean 'event.rate'?"),
        ("'é' == event.zone", "reads 'event.zone' (column 8); did you mean 'site.zone' or 'to.zone'?"),
        ("event.verb == 'dok'", "event.verb is never 'dok'; did you mean 'dock'?"),
        ("'dok' != event.verb", "event.verb is never 'dok'; did you mean 'dock'?"),
        ("event.verb not in ('hop', 'dok')", "event.verb is never 'dok'; did you mean 'dock'?"),
        ("event.verb == 5", "event.verb is a text, and 5 (column 15) is a number; they cannot be compared"),
        ("event.site in (1, 'a')", "event.site is a number, and 'a' (column 19) is a text; they cannot be compared"),
        ("steps == True", "steps is a number, and True (column 10) is a truth value; they cannot be compared"),
        ("event.verb < 'hop'", "'<' compares numbers, and event.verb is a text"),
        ("event.site + 1", "the condition is a number"),
        ("event.verb", "the condition is a text"),
        ("steps and 1 > 2", "and joins comparisons, and steps (column 1) is a number"),
        ("not steps", "not joins comparisons, and steps (column 5) is a number"),
        ("event.verb + 'a' == 'b'", "'+' joins numbers, and event.verb (column 1) is a text"),
        ("True + 1 > 1", "'+' joins numbers, and True (column 1) is a truth value"),
        ("steps = 5", "write == to compare (column 7)"),
        ("steps ** 2 > 1", "'**' is not allowed (column 1); allowed: columns"),
        ("steps // 2 > 1", "'//' is not allowed (column 1)"),
        ("steps is 2", "'is' (write ==) is not allowed (column 10)"),
        ("event.verb in 'hop'", "'in' needs a list (column 15)"),
        ("steps in (time, 1)", "the list holds time (column 11)"),
        ("1 in (1, 2) == True", "a list (column 6) is compared"),
        ("1 in (2,) in (1,)", "a list (column 6) is compared"),
        ("(1, 2) == (1, 2)", "a list (except after in) is not allowed (column 1)"),
        ("abs(1, 2) > 1", "abs is given 2 (column 1); allowed: one number"),
        ("min(1) > 1", "min is given 1 (column 1); allowed: two numbers or more"),
        ("min(1, key=2) > 1", "a call of 'min' is not allowed (column 1)"),
        ("__import__('os').system('x')", "a call of '…' is not allowed (column 1)"),
        ("open('x') == 1", "a call of 'open' is not allowed (column 1)"),
        ("event.verb.__class__ == 'a'", "reads 'event.verb.__class__' (column 1); did you mean 'event.verb'?"),
        ("'a'.join == 'a'", "'.' behind a value is not allowed (column 1)"),
        ("[1, 2][0] == 1", "'[…]' behind a value is not allowed (column 1)"),
        ("f'{steps}' == 'a'", "an f-string is not allowed (column 1)"),
        ("(x := 1) > 1", "':=' (write ==) is not allowed (column 2)"),
        ("lambda: 1", "a lambda is not allowed (column 1)"),
        ("[x for x in (1, 2)]", "is not allowed (column 1)"),
        ("steps > 1 if True else False", "'if … else' is not allowed (column 1)"),
        ("min(*(1, 2)) > 1", "'*' is not allowed (column 5)"),
        ("None == None", "None (column 1) is neither a number"),
        ("b'a' == b'a'", "b'a' (column 1) is neither a number"),
        ("1j == 1j", "1j (column 1) is neither a number"),
        ("... == 1", "Ellipsis (column 1) is neither a number"),
        ("9" * 400 + " > 1", "a number (column 1) is too large"),
        ("1e999 > steps", "a number (column 1) is too large"),
        ("event.verb == '\\x00'", "(column 15) has letters that do not print"),
        ("event.verb == '\\d\\ud800'", "(column 15) has letters that do not print"),
        ("steps\n> 1", "the character '\\n' (column 6)"),
        ("steps > 1 #\x00", "the character '\\x00' (column 12)"),
        ("\ud800 > 1", "the character '\\ud800' (column 1)"),
        ("(" * 250, "cannot be read"),
        ("-" * 490 + "1 > 1", "nested"),
        ("not " * 120 + "True", "nested deeper than 40"),
        ("+".join("1" * 200) + " > 1", "nested deeper than 40"),
        ("1" + "+1" * 250, "has 501 characters; allowed: 500"),
        ("", "the condition is ''"),
        ("   ", "the condition is '   '"),
        (None, "the condition is None"),
        (5, "the condition is 5"),
    ],
)
def test_what_is_no_condition_is_refused_with_its_place(text, told):
    with pytest.raises(BadInput) as caught:
        Condition(text, allowed={"event.verb": ["hop", "dock"]})
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_any_text_is_possible_where_the_possible_ones_are_not_told():
    assert Condition("event.verb == 'dok'", allowed={"site.zone": ["core"]}).reads == {"event.verb"}


TOKENS = [*NAMES, *"()[]{}.,:=<>!+-*/%'\"&|^~@\\#; ", "and", "or", "not", "in", "is", "if", "else", "lambda", "for"]
TOKENS += [
    "1",
    "0",
    "1e400",
    "'a'",
    "f'",
    "True",
    "None",
    "abs(",
    "min(",
    "__class__",
    "await",
    "yield",
    "**",
    ":=",
    "…",
]


@quiet
@given(st.text(max_size=80) | st.lists(st.sampled_from(TOKENS), max_size=40).map(" ".join))
def test_any_text_is_a_condition_or_is_refused(text):
    start = time.perf_counter()
    try:
        found = Condition(text).where(dict.fromkeys(NAMES, 1.0) | {n: "a" for n, k in NAMES.items() if k == "text"}, 3)
        assert found.shape == (3,)
    except BadInput:
        pass
    assert time.perf_counter() - start < 1.0
