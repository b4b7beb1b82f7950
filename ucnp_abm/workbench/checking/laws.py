"""What laws show besides their answers: output, what they read from outside, what they hold in vain."""

from __future__ import annotations

import linecache
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ucnp_abm.crystal.species import SPECIES
from ucnp_abm.errors import nearest
from ucnp_abm.rules.drive import Drive
from ucnp_abm.rules.mechanism import Mechanism
from ucnp_abm.rules.parameter import Parameter
from ucnp_abm.rules.ruleset import HopRule
from ucnp_abm.workbench.checking.finding import ERROR, WARNING, Finding
from ucnp_abm.workbench.checking.outside import line_of, outside_of, own_lines
from ucnp_abm.workbench.checking.trial import Trial, parts_of, rules_of
from ucnp_abm.workbench.checking.watching import Watch, asked

_DOI = re.compile(r"\b10\.\d{4,9}/\S")
_COURSE = frozenset(Drive("any", summary="", source="").parameters)
"""Parameters that every drive has, whatever it does."""
_MOST_TEXT = 60


def origins(mechanism: Mechanism) -> Iterator[Finding]:
    """A source with a DOI or the word Assumption, a summary of one sentence, a text for each parameter."""
    for name, part in parts_of(mechanism):
        place = birthplace(part)
        source, summary = (text if isinstance(text, str) else "" for text in (part.source, part.summary))
        if not _DOI.search(source) and "assumption" not in source.casefold():
            given = f"'{source}'" if source.strip() else "nothing"
            text = f"the source of '{name}' is {given}; expected a DOI, as in doi:10.1021/…, or 'Assumption: why'"
            yield Finding("source and summary", ERROR, text, place)
        if not summary.strip():
            text = f"'{name}' has no summary; say in one sentence what happens"
            yield Finding("source and summary", ERROR, text, place)
        elif "\n" in summary.strip() or re.search(r"[.!?] +[A-Z]", summary) or not summary.strip().endswith("."):
            text = f"the summary of '{name}' is {summary.strip()!r}; expected one sentence that ends with a full stop"
            yield Finding("source and summary", WARNING, text, place)
        for parameter in part.parameters.values():
            if not isinstance(parameter.doc, str) or not parameter.doc.strip():
                text = f"the parameter '{parameter.name}' of '{name}' has no doc; say in one sentence what it is"
                yield Finding("source and summary", WARNING, text, birthplace(part, parameter.name))


def output(watches: Iterable[Watch]) -> Iterator[Finding]:
    """Laws do not print."""
    for watch in watches:
        if watch.printed:
            text = (
                f"the law '{watch.__name__}' prints '{_short(' '.join(watch.printed.split()))}'; it is "
                "called for every environment before a run, so leave that out, or look at it with plugins rates"
            )
            line = line_of(watch.law, None, "print")
            yield Finding("output", WARNING, text, watch.place(line))


def outside(trial: Trial) -> Iterator[Finding]:
    """Laws depend on nothing that may change, and change nothing."""
    known = {one.key for one, _ in trial.changed}
    for one, environment in trial.changed:
        text = (
            f"{one.what} '{one.name}' changes while laws are called; a barrier follows from env alone, so make it a "
            "parameter or a constant"
        )
        yield Finding("globals", ERROR, text, one.place, environment)
    for watch in trial.watches.values():
        for one in outside_of(watch.law):
            if one.changeable and one.key not in known:
                known.add(one.key)
                text = (
                    f"the law '{watch.__name__}' reads {one.what} '{one.name}', a {type(one.value).__name__} that "
                    "anything may change; make it a tuple, a types.MappingProxyType or a parameter"
                )
                yield Finding("globals", WARNING, text, one.place)


def lines(watches: Iterable[Watch], trials: Sequence[Trial]) -> Iterator[Finding]:
    """Every line of a law is reached in some environment; lines that only refuse are left out."""
    sampled = {law for trial in trials for law in trial.sampled}
    for watch in watches:
        if not watch.calls or watch.refused or not watch.codes or id(watch) in sampled:
            continue
        code, missed = watch.codes[0], []
        for line in sorted(own_lines(code) - watch.lines):
            text = linecache.getline(code.co_filename, line).strip()
            if not text.startswith(("raise", "assert", "pass", "else:", "...")):
                missed.append((line, text))
        for first, text in _first_of_each_run(missed):
            said = (
                f"the law '{watch.__name__}' reaches the line `{_short(text.partition('  #')[0])}` in no environment "
                "of the crystals that were tried; drop it, or mend its condition"
            )
            yield Finding("reach", WARNING, said, watch.place(first))


def words(watches: Iterable[Watch], trials: Sequence[Trial]) -> Iterator[Finding]:
    """Laws compare species, zones and bonds with words that can be there."""
    held: dict[tuple[int, str], set[str]] = {}
    for rate in (answers.rate for trial in trials for answers in trial.answers):
        seen = {"zone": [str(rate.where.get("zone", ""))]}
        if isinstance(rate.rule, HopRule):
            zones = str(rate.where["zones"]).split("->")
            seen = {"mover": [rate.species], "bond": [str(rate.where["bond"])], "zones": zones}
            seen |= {"start": zones, "end": zones}
        for what, found in seen.items():
            held.setdefault((id(rate.rule.law), what), set()).update(found)
    for watch in watches:
        for what, word in sorted(watch.compared):
            known = held.get((id(watch), what), set())
            if known and word not in known:
                name = f"env.{what}" if what != "zone" else "env.site.zone"
                text = (
                    f"the law '{watch.__name__}' compares {name} with '{word}', which it never is here"
                    f"{_meant(word, known)}"
                )
                line = line_of(watch.law, word)
                yield Finding("reach", WARNING, text, watch.place(line))


def parameters(mechanism: Mechanism, watches: Iterable[Watch]) -> Iterator[Finding]:
    """Every parameter is read by a law or an amount, or decides whether a rule holds."""
    watched = list(watches)
    for name, part in parts_of(mechanism):
        used = {read for watch in watched if watch.part == name for read in watch.read} | _declared_use(part)
        for parameter in part.parameters.values():
            if parameter.name not in used and not (isinstance(part, Drive) and parameter.name in _COURSE):
                text = (
                    f"nothing reads the parameter '{parameter.name}' of '{name}', so setting it changes nothing; "
                    f"read it in a law as env.p.{parameter.name}, or leave it out"
                )
                yield Finding("unused parameters", WARNING, text, birthplace(part, parameter.name))


def _declared_use(part: Mechanism | Drive) -> set[str]:
    """Parameters that amounts and conditions use.

    Raises
    ------
    BadMechanism
        If a function of the parameters raises.
    """
    rules = rules_of(part)
    amounts = [amount for rule in rules for amount in (rule.attempt, rule.lowest, getattr(rule, "potential", None))]
    if isinstance(part, Mechanism):
        amounts += [amount for bath in part.baths.values() for amount in bath]
        amounts += [*part.site_energies.values(), *part.pair_energies.values()]
    else:
        effect = part.assistance
        amounts += [part.warming, *part.factors.values(), *((effect.rate, effect.relief) if effect else ())]
    used = {name for rule in rules for name, _ in rule.when}
    for amount in amounts:
        if isinstance(amount, Parameter):
            used.add(amount.name)
        elif callable(amount):
            part.amount(amount, "number", "an amount")
            amount(asked(dict(part.values), used))
    return used


def _short(text: str) -> str:
    return text if len(text) <= _MOST_TEXT else f"{text[: _MOST_TEXT - 1]}…"


def _first_of_each_run(missed: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
    return [one for n, one in enumerate(missed) if n == 0 or missed[n - 1][0] < one[0] - 1]


def _meant(word: str, known: set[str]) -> str:
    near = nearest(word, sorted(known))
    if near.startswith("; did") and word not in SPECIES:
        return near
    few = ", ".join(sorted(known)[:6]) + (", …" if len(known) > 6 else "")
    return f"; it is one of {few}"


def birthplace(part: Mechanism | Drive, parameter: str = "") -> str:
    """Where a text of the file of its laws names a mechanism or drive, or its parameter."""
    files = {watched.co_filename: None for rule in rules_of(part) if (watched := getattr(rule.law, "__code__", None))}
    for file in files:
        for number, text in enumerate(linecache.getlines(file), 1):
            if re.search(rf"""["']{re.escape(parameter or part.name.partition("+")[0])}["']""", text):
                return f"{Path(file).name}, line {number}"
    return ""
