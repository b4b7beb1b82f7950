"""The words of `ucnp-abm plugins rates` and `diff`: tables of environments, those that are alike in one line."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ucnp_abm.cli import plugins_words as words
from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.rules.law import name_of
from ucnp_abm.workbench.alike import Line, collapse, values
from ucnp_abm.workbench.barriers import Rate, by_law, law_place, lines, temperature_of
from ucnp_abm.workbench.difference import Change, Declared, Difference

_RATES = f"  {'barrier':>7}  {'E_a/eV':>7}  {'back/eV':>7}  {'rate /s':>8}  {'one takes':>9}  {'rows':>5}  where"


def of_rates(simulation: Simulation, found: Sequence[Rate], *, every: bool = False) -> str:
    """A table for each law, lines of environments that are alike."""
    title = f"{simulation.mechanism.name} at {words.celsius(temperature_of(simulation))}, {len(found):,} environments"
    made = [f"{title}\n{words.hang('on ', words.of_crystal(simulation))}"]
    for rows in by_law(found):
        species = values([one.species for one in rows])
        head = f"{rows[0].verb} {species}: {name_of(rows[0].rule.law)} ({law_place(rows[0].rule.law)})"
        reads = f", reads {words.listed([f'n[{name}]' for name in rows[0].counts])}" if rows[0].counts else ""
        alike = _each(rows) if every else lines(rows)
        shown = [_rate_line(line) for line in alike]
        kept = shown if every else words.cut(shown, "--all", words.MOST_LINES // 2)
        made.append("\n".join([words.wrap(f"{head}{reads}"), _RATES, *kept]))
    notes = ["barrier: what the law says / eV; E_a: with the declared energies; back: E_a of the way back."]
    for law in simulation.table.on_the_way:
        place = f"{name_of(law)} ({law_place(law)})"
        notes.append(f"{place} reads too much for a table: its rows are worked out on the way, and not listed.")
    if simulation.table.has_pairs:
        notes.append("Pair energies change E_a with the neighbours; they are left out here.")
    return "\n\n".join([*made, "\n".join(words.wrap(note) for note in notes)])


def _each(rows: Sequence[Rate]) -> list[Line[Rate]]:
    names = list(rows[0].told)
    ordered = sorted(rows, key=lambda one: -one.rate)
    return [
        Line((r,), "; ".join(str(v) if n in ("species", "zones") else f"{n} {v}" for n, v in r.told.items() if names))
        for r in ordered
    ]


def _rate_line(line: Line[Rate]) -> str:
    one = line.first
    energies = "  ".join(f"{words.energy(e):>7}" for e in (one.barrier, one.activation, one.back))
    begin = f"  {energies}  {words.rate(one.rate):>8}  {words.human(one.time):>9}  {len(line.members):>5}  "
    return words.hang(begin, words.short(line.where))


def of_difference(found: Difference, names: tuple[str, str], crystal: str) -> str:
    """What two mechanisms do not share."""
    at = [words.celsius(kelvin) for kelvin in found.temperature]
    head = f"A = {names[0]}, B = {names[1]}, at {at[0]}" + (f" and {at[1]}" if at[0] != at[1] else "")
    blocks = [f"{words.wrap(head)}\n{words.hang('on ', crystal)}", words.wrap(_verdict(found))]
    if found.a.pair_energies or found.b.pair_energies:
        blocks[1] += "\nPair energies change rates with the neighbours besides; they are left out here."
    groups: dict[tuple[Any, ...], list[Change]] = {}
    for change in found.changes:
        groups.setdefault(_laws(change), []).append(change)
    blocks += [_changes(laws, changes) for laws, changes in groups.items()]
    for side, only in (("A", found.only_a), ("B", found.only_b)):
        for rows in by_law(only):
            blocks.append("\n".join(_only(side, rows)))
    shown = _worth_saying(found.declared)
    if shown:
        blocks.append("\n".join(["declared otherwise", *_declarations(shown)]))
    return "\n\n".join(blocks)


def _verdict(found: Difference) -> str:
    if found.same_table:
        return f"The same: {found.compared:,} environments, fingerprint {found.a.fingerprint[:16]} both."
    if found.same_rates:
        return f"The same rates in all {found.compared:,} environments, by other rules or in another order."
    only = [
        f"{len(rows):,} more only in {side} ({', '.join(dict.fromkeys(one.event for one in rows))})"
        for side, rows in (("A", found.only_a), ("B", found.only_b))
        if rows
    ]
    untold = [f"the rows of {words.listed(found.untold)} come on the way and are not compared"] if found.untold else []
    return "; ".join([f"{len(found.changes):,} of {found.compared:,} shared environments differ", *only, *untold]) + "."


def _laws(change: Change) -> tuple[Any, ...]:
    return (change.either.verb, *(side.rule.law if side else None for side in (change.a, change.b)), *change.told)


def _changes(laws: tuple[Any, ...], changes: Sequence[Change]) -> str:
    verb, law_a, law_b = laws[:3]
    places = [f"{name_of(law)} ({law_place(law)})" for law in (law_a, law_b)]
    said = places[0] if places[0] == places[1] else f"{places[0]} | {places[1]}"
    energies = any(side and side.barrier != side.activation for c in changes for side in (c.a, c.b))
    name = "E_a" if energies else "barrier"
    alike = collapse(changes, lambda c: (f"{c.size[0]:.7g}", *(_key(side) for side in (c.a, c.b))))
    shown = [_change_line(line) for line in sorted(alike, key=lambda line: line.first.size, reverse=True)]
    sides = f"{name + ' A':>9}  {name + ' B':>9}  {'B - A':>7}"
    header = f"  {sides}  {'A /s':>8}  {'B /s':>8}  {'B : A':>8}  {'rows':>5}  where"
    n = len(changes)
    head = f"{verb} {values([c.either.species for c in changes])}: {said}; {n:,} environment{'s' * (n > 1)}"
    return "\n".join([words.wrap(head), header, *words.cut(shown, "--json")])


def _key(side: Rate | None) -> tuple[str, ...]:
    return (f"{side.barrier:.9f}", f"{side.activation:.9f}", f"{side.rate:.7g}") if side else ()


def _change_line(line: Line[Change]) -> str:
    one = line.first
    energies = [words.energy(side.activation if side else None) for side in (one.a, one.b)]
    apart = "-" if one.rise is None else f"{one.rise:+.4f}"
    rates = [words.rate(side.rate if side else 0.0) for side in (one.a, one.b)]
    ratio = "-" if math.isinf(one.ratio) else f"{one.ratio:.3g}"
    begin = f"  {energies[0]:>9}  {energies[1]:>9}  {apart:>7}  {rates[0]:>8}  {rates[1]:>8}  {ratio:>8}"
    return words.hang(f"{begin}  {len(line.members):>5}  ", words.short(line.where))


def _only(side: str, rows: Sequence[Rate]) -> list[str]:
    head = f"only in {side}: {rows[0].verb} {values([one.species for one in rows])}: {name_of(rows[0].rule.law)}"
    shown = [words.hang(f"  {_energy_and_rate(line.first)}  ", line.where) for line in lines(rows)]
    return [words.wrap(f"{head} ({law_place(rows[0].rule.law)})"), *words.cut(shown, "--json")]


def _energy_and_rate(one: Rate) -> str:
    if math.isinf(one.activation):
        return f"{'never':>7}{'':<17}"
    return f"{words.energy(one.activation):>7} eV  {words.rate(one.rate):>9} /s"


def _worth_saying(declared: Sequence[Declared]) -> list[Declared]:
    """What is declared otherwise; of a drive that only one has, its own line is enough."""
    drives = tuple(f"{one.name}." for one in declared if one.what == "drive" and not (one.a and one.b))
    return [one for one in declared if not (one.what == "parameter" and drives and one.name.startswith(drives))]


def _declarations(declared: Sequence[Declared]) -> list[str]:
    made = []
    for one in declared:
        begin = f"  {one.what} {one.name}: "
        sides = [f"{side}: {text or '-'}" for side, text in (("A", one.a), ("B", one.b))]
        whole = f"{begin}{'   '.join(sides)}"
        made += (
            [whole] if len(whole) <= words.WIDTH else [begin.rstrip(), *(words.hang("      ", text) for text in sides)]
        )
    return made


def plain_difference(found: Difference) -> dict[str, Any]:
    """A difference as JSON holds it; `ratio` is None where only b has a rate."""
    return {
        "a": {"name": found.a.name, "fingerprint": found.a.fingerprint, "temperature_K": found.temperature[0]},
        "b": {"name": found.b.name, "fingerprint": found.b.fingerprint, "temperature_K": found.temperature[1]},
        "same_table": found.same_table,
        "same_rates": found.same_rates,
        "compared": found.compared,
        "different": len(found.changes),
        "changes": [
            {
                "a": c.a.record() if c.a else None,
                "b": c.b.record() if c.b else None,
                "rise_eV": c.rise,
                "ratio": words.plain(c.ratio),
            }
            for c in found.changes
        ],
        "only_a": [one.record() for one in found.only_a],
        "only_b": [one.record() for one in found.only_b],
        "declared": words.plain(found.declared),
    }
