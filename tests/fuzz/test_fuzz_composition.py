"""Compositions, quantities, protocols, plans: what is read comes back, and everything else is refused."""

from __future__ import annotations

import json
import math
from typing import Any

from fuzz.fuzzing import ODD, always, examples, one_sentence
from hypothesis import strategies as st

from ucnp_abm import units
from ucnp_abm.crystal import composition
from ucnp_abm.crystal.species import IONS, RE
from ucnp_abm.engine.protocol import COLDEST, HOTTEST, Protocol
from ucnp_abm.errors import BadInput
from ucnp_abm.runs.plan import Plan

KINDS = tuple(units._UNITS)
NUMBERS = st.floats(1e-12, 1e12) | st.integers(0, 10**6)
GRAMMAR = [
    "Na",
    "Y",
    "Gd",
    "Yb",
    "yb",
    "F4",
    "F",
    ":",
    ",",
    " ",
    "%",
    "49",
    "1e1",
    "-1",
    "+5",
    ".5",
    "100",
    "1e400",
    "5.",
]
PIECES = st.sampled_from([*GRAMMAR, "NaYF4", "NaGdF4", "49% Yb", "٣", "½", "\u00a0", "e", "\n", "NaN", "ß", "void"])


def written(content: composition.Composition) -> str:
    """A composition as text, each share with all its digits."""
    (host, _), *dopants = content.shares
    return (f"Na{host}F4" if content.sodium else host) + (
        ": " + ", ".join(f"{100.0 * share!r}% {symbol}" for symbol, share in dopants) if dopants else ""
    )


@examples(100, 1500)
def test_any_text_near_the_grammar_is_a_composition_or_is_refused(n: int) -> None:
    def holds(text: Any) -> None:
        try:
            found = composition.parse(text, "core")
        except BadInput as error:
            one_sentence(error, "core: ")
            return
        shares = [share for _, share in found.shares]
        assert min(shares) >= 0.0
        assert math.isclose(math.fsum(shares), 1.0, rel_tol=1e-9)
        symbols = [symbol for symbol, _ in found.shares]
        assert len(set(symbols)) == len(symbols)
        assert set(symbols) <= set(RE if found.sodium else IONS)
        again = composition.parse(written(found))
        assert again.sodium == found.sodium
        for (symbol, share), (other, same) in zip(found.shares, again.shares, strict=True):
            assert symbol == other
            assert math.isclose(share, same, abs_tol=1e-12)

    always(n, holds, st.lists(PIECES, max_size=8).map("".join) | st.text(max_size=15) | ODD)


@examples(40, 700)
def test_a_composition_that_is_written_out_is_read_again(n: int) -> None:
    def holds(symbols: list[str], weights: list[float], sodium: bool) -> None:
        host, *dopants = symbols
        percents = [100.0 * w / (math.fsum(weights) + 1.0) for w in weights[: len(dopants)]]
        text = (
            (f"Na{host}F4" if sodium else host)
            + ": "
            + ", ".join(f"{p!r}% {s}" for p, s in zip(percents, dopants, strict=False))
        )
        found = composition.parse(text)
        assert found.sodium is sodium
        assert [symbol for symbol, _ in found.shares] == [host, *dopants[: len(percents)]]
        for percent, (_, share) in zip(percents, found.shares[1:], strict=True):
            assert math.isclose(percent, 100.0 * share, rel_tol=1e-12)

    always(
        n,
        holds,
        st.lists(st.sampled_from(RE), min_size=2, max_size=5, unique=True),
        st.lists(st.floats(0.01, 10.0), min_size=1, max_size=4),
        st.booleans(),
    )


@examples(100, 1500)
def test_any_quantity_is_a_finite_number_or_is_refused(n: int) -> None:
    pieces = [
        "1",
        "-",
        "+",
        ".",
        "e",
        "E5",
        "_",
        " ",
        "nm",
        "Å",
        "°C",
        "K",
        "eV",
        "%",
        "1/s",
        "/s",
        "h",
        "٣",
        "inf",
        "nan",
    ]
    texts = st.lists(st.sampled_from(pieces), max_size=5).map("".join) | st.text(max_size=12)
    numbers = st.floats() | st.integers() | st.sampled_from([10**400, 10**5000, -(10**5000)])

    def holds(value: Any, kind: str) -> None:
        for read in (units.parse, units.positive):
            try:
                number = read(value, kind, "length of it")
            except BadInput as error:
                one_sentence(error, "length of it: ")
            else:
                assert math.isfinite(number)
                assert read is units.parse or number > 0
                assert kind != "count" or number == int(number)
        for check in (units.fraction, units.amount, units.count):
            try:
                assert check(value, "it") >= 0
            except BadInput as error:
                one_sentence(error, "it: ")

    always(n, holds, texts | numbers | ODD, st.sampled_from(KINDS))


@examples(40, 700)
def test_a_number_with_a_unit_is_that_number_of_units(n: int) -> None:
    def holds(number: float, kind: str, data: Any) -> None:
        unit = data.draw(st.sampled_from(sorted(units._UNITS[kind])))
        if kind == "count":
            number = math.floor(number)
        zero = 273.15 if kind == "temperature" and unit in ("°C", "degC", "C") else 0.0
        close = [f"{number!r}{unit}"] if not unit[:1].isdigit() else []  # 1.0 next to 1/s would be 1.01/s
        for text in (f"{number!r} {unit}", f" {number!r}  {unit} ", *close):
            assert math.isclose(units.parse(text, kind), number * units._UNITS[kind][unit] + zero, rel_tol=1e-14)
        assert units.parse(number, kind) == float(number)
        assert units.parse(f"{float(number)!r} {units.base_unit(kind)}", kind) == float(number)

    always(n, holds, NUMBERS, st.sampled_from(KINDS), st.data())


@examples(40, 700)
def test_a_protocol_comes_back_and_its_clock_runs_both_ways(n: int) -> None:
    phases = st.lists(st.tuples(st.floats(COLDEST, HOTTEST), st.floats(1e-6, 1e6)), min_size=1, max_size=4)

    def holds(given: list[tuple[float, float]], steps: float, z: int) -> None:
        protocol = Protocol.parse(", ".join(f"{kelvin!r} K for {seconds!r} s" for kelvin, seconds in given))
        assert protocol.temperatures == tuple(kelvin for kelvin, _ in given)
        assert math.isclose(protocol.duration, math.fsum(seconds for _, seconds in given), rel_tol=1e-12)
        time = protocol.time(steps, z)
        assert time >= 0
        if math.isfinite(time):
            pace = z * max(map(protocol.reference_rate, protocol.temperatures))
            assert abs(protocol.steps(time, z) - steps) <= 4 * pace * math.ulp(time) + 1e-12 * steps

    always(n, holds, phases, st.floats(0, 1e6), st.integers(2, 12))


@examples(40, 700)
def test_any_text_is_a_protocol_or_is_refused(n: int) -> None:
    pieces = ["300 °C", "300 K", "for", " ", ",", "1 h", "0 s", "-1 s", "1e-320 s", "1e308 s", "inf K", "for 1 min"]

    def holds(text: Any) -> None:
        try:
            protocol = Protocol.parse(text)
        except BadInput as error:
            one_sentence(error, "protocol: ", "temperature: ", "duration: ")
            return
        assert all(COLDEST <= kelvin <= HOTTEST for kelvin in protocol.temperatures)
        assert list(protocol.edges) == sorted(set(protocol.edges))
        assert protocol.duration > protocol.edges[-1]

    always(n, holds, st.lists(st.sampled_from(pieces), max_size=7).map("".join) | ODD | st.text(max_size=12))


@examples(40, 700)
def test_a_plan_comes_back_from_its_description(n: int) -> None:
    marks = st.lists(st.floats(0, 1e9), min_size=1, max_size=8)

    def holds(at: list[float], keep: list[float], in_time: bool, events: bool) -> None:
        plan = Plan.of(at, keep, in_time=in_time, observables=("t_s",), events=events)
        assert Plan.read(json.loads(json.dumps(plan.about()))) == plan
        assert set(plan.snapshots) <= set(plan.marks)
        assert list(plan.marks) == sorted(set(plan.marks))

    always(n, holds, marks, marks, st.booleans(), st.booleans())
