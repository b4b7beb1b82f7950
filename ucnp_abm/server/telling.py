"""What the page is told of one line: what could happen next, who is selected, why, and how an event was drawn."""

from __future__ import annotations

import inspect
import linecache
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.crystal.species import SYMBOLS
from ucnp_abm.engine.draws import draws
from ucnp_abm.engine.moves import Event, Move, formula_of
from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.kernels.layout import FROM_COMPLEX, HOPS
from ucnp_abm.rules.ruleset import HopRule, SiteRule
from ucnp_abm.server.line import Line

ROWS, OPTIONS, HISTORY, PATH, RECENT = 40, 24, 12, 200, 1000
"""Most rows of the table of events, of options and history of an agent, moves of its path, events of the warning."""
FLICKER = 0.5
"""Share of recent events that undo another, above which a warning is given."""
_CHANNEL = 32
"""Labels of candidates: species codes for hops, behind them the channels."""


def next_events(line: Line, verb: str | None, species: str | None, near: NDArray[np.int64] | None) -> dict[str, Any]:
    """Channels with their shares of the rate, and the fastest candidate events, all or those of one kind or place.

    Parameters
    ----------
    line : Line
    verb, species : str or None
        Only these.
    near : (n,) int or None
        Only events that touch one of these sites.
    """
    simulation = line.simulation
    found, total = simulation.candidates(), simulation.total_rate()
    label, names = _named(line, found)
    n, rates = np.bincount(label), np.bincount(label, weights=found["rate"])
    channels = [
        [*names[k], float(rates[k] / total) if total else 0.0, int(n[k])]
        for k in np.argsort(-rates, kind="stable").tolist()
    ]
    wanted = np.array([verb in (None, v) and species in (None, s) for v, s in names], dtype=bool)[label]
    if near is not None:
        wanted &= np.isin(found["site"], near) | np.isin(found["to"], near)
    chosen = np.flatnonzero(wanted)
    first = chosen[np.argsort(-found["rate"][chosen], kind="stable")[:ROWS]]
    rules: list[str] = []
    rows = []
    for k in first.tolist():
        one = found[k]
        rule = standing(simulation.rule_of(int(one["row"])))
        if rule not in rules:
            rules.append(rule)
        rate = float(one["rate"])
        numbers = (int(one["site"]), int(one["to"]), _short(rate), _short(rate / total), rules.index(rule))
        rows.append([*names[int(label[k])], *numbers, int(one["channel"]), int(one["direction"])])
    table = {
        "rows": rows,
        "rules": rules,
        "of": chosen.size,
        "verb": verb,
        "species": species,
        "near": near is not None,
    }
    return {"candidates": found.size, "total": total, "channels": channels, "table": table}


def _named(line: Line, found: NDArray[np.void]) -> tuple[NDArray[np.int64], list[tuple[str, str]]]:
    """(n,) which of some names each candidate has, and the names: verb, and the species that moves, comes or goes."""
    simulation = line.simulation
    verbs, species = line.channel_words(simulation.table)
    movers = simulation.state.species[simulation.crystal.sites[found["to"]]].astype(np.int64)
    kinds = np.where(found["channel"] == HOPS, movers, _CHANNEL + found["channel"].astype(np.int64))
    known, inverse = np.unique(kinds, return_inverse=True)
    names = [
        (verbs[HOPS], SYMBOLS[k]) if k < _CHANNEL else (verbs[k - _CHANNEL], species[k - _CHANNEL])
        for k in known.tolist()
    ]
    distinct = list(dict.fromkeys(names))  # channels that differ in what they take away may have one name
    return np.array([distinct.index(name) for name in names], dtype=np.int64)[inverse], distinct


def _short(value: float) -> float:
    return float(f"{value:.4g}")


def standing(rule: HopRule | SiteRule | None) -> str:
    """Where a rule stands: its name, and file and line if it has them."""
    if rule is None:
        return "no rule"
    where = rule.where
    return f"{where.name}, {Path(where.path).name} line {where.line}" if where.path else where.name


def flicker(line: Line) -> dict[str, Any] | None:
    """A warning if most of the recent events undo one another, with a breakpoint that passes over them."""
    now = line.simulation.state.events
    after = max(line.chronicle.kept_after, now - RECENT)
    if now - after < 20:  # or so far back that they are no longer kept
        return None
    events = line.chronicle.told(after, now)
    order = np.lexsort((np.arange(events.size), events["other"]))
    told = events[order]
    same = (told["other"][1:] == told["other"][:-1]) & (told["channel"][1:] == HOPS)
    back = same & (told["site"][1:] == told["to"][:-1]) & (told["to"][1:] == told["site"][:-1])
    share = float(np.count_nonzero(back)) / events.size
    if share < FLICKER:
        return None
    code, n = Counter(told["species"][1:][back].tolist()).most_common(1)[0]
    symbol = SYMBOLS[code]
    alone = n == np.count_nonzero(back) and np.unique(events["species"]).size == 1
    return {
        "text": f"{100 * share:.0f} % of the last {events.size} events took a vacancy straight back, mostly hops of "
        f"{symbol}: they change nothing.",
        "condition": "event.verb != 'hop'" if alone else f"event.species != '{symbol}'",
    }


# --- one agent ---


def site_of(simulation: Simulation, slot: int) -> int:
    """Site number of an identity."""
    return int(np.flatnonzero(simulation.state.slot[simulation.crystal.sites] == slot)[0])


def inspected(line: Line, slot: int) -> dict[str, Any]:
    """Everything about one agent: where it is, its neighbours, its options, its history and its path."""
    simulation, state, crystal = line.simulation, line.simulation.state, line.simulation.crystal
    site = site_of(simulation, slot)
    around = Counter(simulation.occupant(n) for n in crystal.neighbours(site) if n >= 0)
    missing = crystal.neighbours(site).count(-1)
    words = [f"{n} {symbol}" for symbol, n in around.most_common()] + ([f"{missing} missing"] if missing else [])
    born_at = crystal.number_of(int(state.birthplace[slot]))
    moves = line.chronicle.moves_of(slot, state.events, most=state.events)
    options = simulation.options(site)
    return {
        "slot": slot,
        "site": site,
        "species": simulation.occupant(site),
        "zone": crystal.zone_of(site),
        "layer": crystal.layers[int(crystal.layer[site])],
        "r": _radius(simulation, site),
        "neighbours": ", ".join(words),
        "origin": _origin(simulation, slot),
        "age": simulation.time - float(state.born[slot]),
        "moved": float(np.linalg.norm(crystal.position(site) - crystal.position(born_at))),
        "options": [_option(simulation, move) for move in options[:OPTIONS]],
        "of_options": len(options),
        "history": [[int(n), line.text_of(int(n))] for n in moves[-HISTORY:]],
        "of_history": len(moves),
        "path": _path(line, site, moves[-PATH:].tolist()),
    }


def _radius(simulation: Simulation, site: int) -> float:
    return float(np.linalg.norm(simulation.crystal.position(site)))


def _origin(simulation: Simulation, slot: int) -> str:
    layer = int(simulation.state.origin[slot])
    return "the bath" if layer == FROM_COMPLEX else simulation.crystal.layers[layer]


def _path(line: Line, site: int, moves: list[int]) -> list[int]:
    path, here = [site], site
    for number in reversed(moves):
        (event,) = line.chronicle.told(number - 1, number)
        here = int(event["to"]) if here == event["site"] else int(event["site"])
        path.append(here)
    return path


def _option(simulation: Simulation, move: Move) -> dict[str, Any]:
    channel, direction = HOPS, 0
    if move.verb == "hop":
        direction = simulation.crystal.neighbours(move.site).index(move.to)
    else:  # some channels share their names; no two share a row
        alike = (simulation.look_at(n, move.site) for n in range(1, 1 + len(simulation.table.channels)))
        channel = next(n for n, other in enumerate(alike, start=1) if (other.verb, other.row) == (move.verb, move.row))
    return {
        "verb": move.verb,
        "species": move.species,
        "site": move.site,
        "to": move.to,
        "rate": move.rate,
        "activation": move.activation,
        "key": {"channel": channel, "site": move.site, "direction": direction},
    }


# --- why ---


def reasons(move: Move, total: float, event: Event | None = None) -> dict[str, Any]:
    """Why a rate is what it is: rule, environment, energies, rate and probability, and the text of the law."""
    where = f"site {move.site}" if move.site == move.to else f"from site {move.to} into the vacancy on site {move.site}"
    rows = [
        ["event", f"{move.verb} {move.species} {where}"],
        ["rule", standing(move.rule)],
        ["environment", repr(move.environment)],
        ["law says", f"{move.barrier:.6g} eV"],
        ["energy step", f"dE = {move.energy_step:.6g} eV"],
        ["activation", f"{move.activation:.6g} eV = {formula_of(move)}"],
        ["rate", f"{move.rate:.6g} /s = {move.factor:g} × {move.attempt:.3g} /s × exp(−E_a / kT)"
         + (f" + {move.assisted:.6g} /s by the drive" if move.assisted else "") + f", T = {move.temperature:g} K"],
        ["probability", f"{move.rate / total if total else 0.0:.4g} of {total:.6g} /s"],
    ]  # fmt: skip
    title = f"Why this rate: {move.verb} {move.species}"
    if event is not None:
        title = f"Why event #{event.number}"
        rows.append(["words", " ".join(f"{word:016x}" for word in event.words)])
    return {"title": title, "rows": rows, "code": _law(move.rule)}


def _law(rule: HopRule | SiteRule | None) -> dict[str, Any] | None:
    """The text of a law, as it was loaded."""
    if rule is None or not rule.where.path:
        return None
    lines = linecache.getlines(rule.where.path)[rule.where.line - 1 :]
    try:
        text = "".join(inspect.getblock(lines))
    except (SyntaxError, IndexError):  # the file is another one now
        return None
    return {"file": Path(rule.where.path).name, "line": rule.where.line, "text": text[:2000]}


def drawn(simulation: Simulation) -> dict[str, Any] | None:
    """How the last event was drawn: the candidates since the event before, and their laws called again."""
    n, newest = draws(simulation)
    if not newest:
        return None
    rows = [
        {
            "candidate": draw.candidate,
            "verb": draw.move.verb,
            "species": draw.move.species,
            "site": draw.move.site,
            "to": draw.move.to,
            "rate": draw.move.rate,
            "bound": draw.bound,
            "accepted": draw.accepted,
        }
        for draw in newest
    ]
    laws = []
    for draw in newest:
        if draw.law is not None:
            same = "as the table" if draw.agrees else f"but row {draw.move.row} of the table says {draw.move.barrier!r}"
            laws.append(f"{standing(draw.move.rule)}: {draw.law:.6g} eV, {same}")
    words = newest[-1].words
    return {
        "summary": f"{n} candidates since the event before"
        + (f", the last {len(rows)} shown" if n > len(rows) else ""),
        "rows": rows,
        "laws": list(dict.fromkeys(laws)),
        "words": "random words (pool, member and direction, acceptance, time): " + " ".join(f"{w:016x}" for w in words),
    }
