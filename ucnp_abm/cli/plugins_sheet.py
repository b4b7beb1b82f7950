"""The words of `ucnp-abm plugins show`: a mechanism on one screen."""

from __future__ import annotations

from collections.abc import Sequence

from ucnp_abm.cli import plugins_words as words
from ucnp_abm.rules.drive import Drive
from ucnp_abm.workbench.origin import Origin
from ucnp_abm.workbench.sheet import ParameterFacts, RuleFacts, Sheet, species_words

_COURSE = frozenset(Drive("any", summary="", source="").parameters)


def of_sheet(found: Sheet, crystal: str) -> str:
    """A mechanism on one screen."""
    bath = [f"{r.species}: activity {r.activity:g}, {_size(r.size)}" for r in found.reservoirs]
    energies = [f"{k} {v:+g} eV" for held in (found.site_energies, found.pair_energies) for k, v in held.items()]
    drives = ["; ".join([f"{d.name}: {d.summary} {d.course.capitalize()}", *d.effects]) for d in found.drives]
    table = f"{found.rows:,} rows in {found.blocks:,} blocks, {found.kilobytes:.0f} kB"
    blocks = [
        words.wrap(f"{found.name}: {found.summary}"),
        words.entry("source", [found.source])
        + "".join(f"\n{words.entry('from', _origin(one))}" for one in found.origins),
        "parameters" + "".join(f"\n{line}" for line in _parameters(found.parameters) or ["  none"]),
        "rules" + "".join(f"\n{_rule(rule)}" for rule in found.rules if rule.holds) + _idle(found.rules),
        "\n".join(
            [
                words.entry("energies", [", ".join(energies) or "none declared: all configurations are alike"]),
                *([words.entry("levels", [found.levels])] if found.levels else []),
                words.entry("reservoirs", bath or ["none: the bath gives and takes nothing"]),
                *([words.entry("drives", drives)] if drives else []),
                words.entry("irreversible", found.irreversible or ["nothing: detailed balance holds"]),
                words.entry("assumptions", found.assumptions or ["none named"]),
                words.entry("table", [table, f"fingerprint {found.fingerprint}"]),
                words.entry("crystal", [crystal, found.particle]),
            ]
        ),
    ]
    return "\n\n".join(blocks)


def _origin(one: Origin) -> list[str]:
    if not one.plugin:
        return [f"{one.name}: made in Python"]
    package = f" of {one.distribution}" if one.distribution else ""
    where = one.file + (f", line {one.line}" if one.line else "")
    name = f"plugin '{one.plugin}'{package}" if one.plugin != one.file else "a single file"
    return [f"{one.name}: {name}", where, *([f"SHA-256 {one.sha256}"] if one.sha256 else [])]


def _parameters(found: Sequence[ParameterFacts]) -> list[str]:
    """A line for each parameter; those of a drive's course only if somebody set them."""
    quiet = [p for p in found if "." in p.name and p.name.rpartition(".")[2] in _COURSE and not p.by_hand]
    shown = [p for p in found if p not in quiet]
    name = max((len(p.name) for p in shown), default=0)
    value = max((len(p.shown) for p in shown), default=0)
    made = []
    for p in shown:
        was = f"; default {p.default}" if p.by_hand and p.default != p.shown else ""
        begin = f"{'*' if p.by_hand else ' '} {p.name:<{name}}  {p.shown:<{value}}  "
        made.append(words.hang(begin, f"{p.doc} [{p.allowed}{was}]"))
    if quiet:
        names = ", ".join(f"{p.name} {p.shown}" for p in quiet)
        made.append(words.hang("  as they are: ", names))
    return [*made, *(["  (* set by hand)"] if any(p.by_hand for p in shown) else [])]


def _rule(rule: RuleFacts) -> str:
    barriers = "forbidden everywhere"
    if rule.on_the_way:
        barriers = f"at least {rule.lowest:.4g} eV; too many environments for a table: worked out on the way"
    elif rule.environments == 0:
        barriers = "never asked: no such ion is here"
    elif rule.barriers:
        low, high = rule.barriers
        barriers = f"{low:.4g} eV" if high - low < 1e-9 else f"{low:.4g} to {high:.4g} eV"
        barriers += f" in {rule.environments:,} environments"
        barriers += f", forbidden in {rule.forbidden:,}" if rule.forbidden else ""
    reads = f"reads {words.listed([f'n[{name}]' for name in rule.reads])}" if rule.reads else "reads no neighbours"
    reads = "told all neighbours" if rule.on_the_way else reads
    other = [name for name in rule.varies if not name.startswith("n[")]
    varies = f"; varies with {words.listed(other)}" if other else ""
    way = "reversible" if rule.reversible else "irreversible"
    return "\n".join(
        [
            words.hang(f"  {rule.verb} {species_words(rule.species)}: ", f"{_law(rule)}{_when(rule)}"),
            *([words.hang("      ", rule.doc)] if rule.doc else []),
            words.hang("      ", f"{barriers}; {reads}{varies}; attempt {rule.attempt:g} /s"),
            words.hang("      ", f"{way}: {rule.why}"),
        ]
    )


def _idle(rules: Sequence[RuleFacts]) -> str:
    idle = [f"    {r.verb} {species_words(r.species)}: {_law(r)}{_when(r)}" for r in rules if not r.holds]
    return "".join(f"\n{line}" for line in ["  not in force:", *idle]) if idle else ""


def _law(rule: RuleFacts) -> str:
    return f"{rule.law} ({rule.place})"


def _when(rule: RuleFacts) -> str:
    said = " and ".join(f"{name} is {' or '.join(chosen)}" for name, chosen in rule.when)
    return f", when {said}" if said else ""


def _size(size: int | None) -> str:
    return "infinite" if size is None else f"{size:,} complexes"
