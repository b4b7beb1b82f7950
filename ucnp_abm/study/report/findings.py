"""A comparison in words: the finding, what it rests on, where it comes from, how to run it again."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ucnp_abm import registry
from ucnp_abm.rules.mechanism import Mechanism
from ucnp_abm.rules.parameter import Parameter
from ucnp_abm.study.numbers.convergence import settled
from ucnp_abm.study.numbers.statistics import Mean
from ucnp_abm.study.report import tables

if TYPE_CHECKING:
    from ucnp_abm.study.compare import Comparison
    from ucnp_abm.study.design import Design

NO_SURFACE = "No site is exposed in this crystal, so its rules for the surface never act."
FLICKER_PCT = 40.0
"""Share / % of events that take the previous one back, above which a reader is warned. Assumption."""
FEW = 4
"""Below so many particles an interval says little."""
ASSUMPTIONS = (
    ("Assumption", "Barriers are calibrated, and vacancy contents are chosen; neither is a prediction."),
    ("Assumption", "Vacancies are neutral; the fluoride that docked ions need (3 each) is not modelled."),
    ("Limit", "That a mechanism reproduces a contrast does not prove that it is the cause."),
)


def title(result: Comparison) -> str:
    """The mechanisms by name."""
    first, *others = result.labels
    return f"{first} against {_listed(others)}" if others else first


def finding(result: Comparison) -> str:
    """What the first observable does, and by how much each mechanism differs from the first; '' without a run."""
    column, first = result.design.columns[0], result.labels[0]
    core = column == "outside_core_pct"
    if not any(math.isfinite(result.mean(label, column).value) for label in result.labels):
        return ""
    when = f"After {result.design.steps:.4g} steps ({duration(result.design)})"
    what = "% of the core's ions outside the core" if core else f"as {column}"
    text = f"{when}, {first} leaves {tables.level(result, first, column)} {what}."
    if len(result.labels) > 1:
        unit = " points" if column.endswith("_pct") else ""
        changes = []
        for label in result.labels[1:]:
            found, ratio = result.difference(label, column), tables.factor(result, label, column)
            if ratio:  # of light
                value, low, high = (math.log(end) for end in (ratio.value, ratio.low, ratio.high))
                logarithm = Mean(value, 0.0, low, high, ratio.n_values)
                changes.append(f"{label} by a factor of {ratio.factor()}{_unclear(logarithm)}")
            else:
                changes.append(f"{label} by {found.interval('+')}{unit}{_unclear(found)}")
        text += f" On the same {_particles(result)} this changes with {'; with '.join(changes)}."
    return text + (f" Complete mixing would be {result.mixed_pct:.0f} %." if core and result.mixed_pct > 0 else "")


def notes(result: Comparison) -> list[tuple[str, str]]:
    """What a reader must know, each with its subject: warnings, then what each mechanism declares, then the model."""
    of_mechanisms = [(label, declared(mechanism)) for label, mechanism in result.design.mechanisms.items()]
    return [*_warnings(result), *of_mechanisms, *ASSUMPTIONS]


def caption(result: Comparison, differences: bool = True) -> str:
    """Of the comparison's figure, with or without its lower half."""
    text = "One particle, no interval."
    if result.crystals != (1, 1):
        text = f"Mean and 95 % interval (Student t) over {tables.counted(result)} particles."
    if differences and len(result.labels) > 1:
        text += f" Below: paired differences from {result.labels[0]} after {result.design.steps:.4g} steps."
    return f"{text} The first step takes {result.design.time(1):.3g} s."


def slab_caption(row: Mapping[str, float]) -> str:
    """Under a slab: its vacancies and mixing."""
    vacancies = f"{row['vacancies']:.0f} vacanc{'y' if row['vacancies'] == 1 else 'ies'}"
    return f"{vacancies}\n{row['outside_core_pct']:.1f} % of core ions outside"


def duration(design: Design) -> str:
    """The time that all steps take, with the temperature where there is one."""
    text = f"{design.time(design.steps):.4g} s"
    kelvin = set(design.protocol.temperatures)
    return f"{text} at {kelvin.pop() - 273.15:.4g} °C" if len(kelvin) == 1 else text


def provenance(result: Comparison) -> dict[str, Any]:
    """Particle, protocol, seeds, and for each mechanism what run.json holds of the first replicate."""
    return {
        "particle": repr(result.design.recipe),
        "protocol": str(result.design.protocol),
        "steps": result.design.steps,
        "marks": result.design.marks,
        "seeds": result.design.seeds,
        "mechanisms": result.design.provenance(),
        "command": result.command,
        "runs": [
            {"mechanism": label, "seed": cell.seed, "digest": cell.digest} for (label, _), cell in result.found.items()
        ],
    }


def provenance_lines(result: Comparison) -> list[tuple[str, str]]:
    """As `provenance`, for readers."""
    mechanisms = result.design.provenance()
    first = next(iter(mechanisms.values()))
    versions = [f"{name} {version}" for name, version in first["versions"].items()]
    seeds = [str(seed) for seed in result.design.seeds]
    shown = seeds if len(seeds) <= 16 else [*seeds[:8], "…", *seeds[-4:]]
    return [
        ("particle", repr(result.design.recipe)),
        ("protocol", f"{result.design.protocol}; {result.design.steps:.6g} steps in {duration(result.design)}"),
        *(
            (f"table of {label}", f"{found['mechanism']['table_fingerprint'][:16]} ({_values(found)})")
            for label, found in mechanisms.items()
        ),
        (f"{len(seeds)} seeds", ", ".join(shown)),
        ("versions", ", ".join([*versions, f"engine {first['engine_version']}"])),
        ("platform", first["platform"]),
    ]


def python_call(mechanisms: Mapping[str, Mechanism], arguments: Mapping[str, Any]) -> str:
    """The call of `compare` that gives the same again.

    Parameters
    ----------
    mechanisms : mapping
        By label.
    arguments : mapping
        By name; None is left out.
    """
    expressions = {label: _expression(mechanism) for label, mechanism in mechanisms.items()}
    if all(label == mechanism.name for label, mechanism in mechanisms.items()):
        listed = f"[{', '.join(expressions.values())}]"
    else:
        listed = "{" + ", ".join(f"{label!r}: {text}" for label, text in expressions.items()) + "}"
    given = [f"{name}={value!r}" for name, value in arguments.items() if value is not None]
    return f"compare({', '.join([listed, *given])})"


def _warnings(result: Comparison) -> list[tuple[str, str]]:
    found, n = [], result.crystals[0]
    if 0 < n < FEW:
        found.append((f"{n} particle{'s' * (n > 1)}", "Intervals are wide." if n > 1 else "No interval can be given."))
    column = result.design.columns[0]
    for label, mechanism in result.design.mechanisms.items():
        if mechanism.active_site_rules() and not result.design.room.n_exposed:
            found.append((label, NO_SURFACE))
        if not result.replicates(label):
            continue
        flicker = result.mean(label, "reversals_pct").value
        if flicker > FLICKER_PCT:
            found.append((label, f"{flicker:.0f} % of the events took the previous one back."))
        end = settled(result.course(label, column), np.array(result.design.samples))
        if math.isfinite(end.share) and not end.is_settled:
            name, change = tables.title(column), end.change.value
            found.append((label, f"Not settled: {name} changed by {change:+.2g} in the last tenth of the run."))
    return found


def declared(mechanism: Mechanism) -> str:
    """What a mechanism is and does on purpose, with the values that decide it."""
    parts = [mechanism.summary, *(f"Driven by {drive.name}: {drive.summary}" for drive in mechanism.drives)]
    if mechanism.drives:
        parts.append("Steps are counted without the heat of a drive.")
    if mechanism.irreversible_verbs:
        verbs = "; ".join(mechanism.irreversible_verbs)
        parts.append(f"Irreversible by declaration, so detailed balance is broken on purpose: {verbs}.")
    values = _parameters(mechanism)
    chosen = [f"{name} = {p.show(value)}" for name, p, value in values if p.choices]
    changed = [
        f"{name} = {p.show(value)} (default {p.show(p.default)})"
        for name, p, value in values
        if value != p.default and not p.choices
    ]
    sources = dict.fromkeys(each.source for each in (mechanism, *mechanism.drives))
    listed = (("Chosen", chosen), ("Set by hand", changed), ("Source", [". ".join(sources)]))
    return " ".join([*parts, *(f"{what}: {', '.join(texts)}." for what, texts in listed if texts)])


def _parameters(mechanism: Mechanism) -> list[tuple[str, Parameter, Any]]:
    """Name, parameter and value, of the mechanism and of its drives."""
    own = [(name, p, mechanism.values[name]) for name, p in mechanism.parameters.items()]
    return own + [(f"{d.name}.{name}", p, d.values[name]) for d in mechanism.drives for name, p in d.parameters.items()]


def _expression(mechanism: Mechanism) -> str:
    if mechanism.name.partition("+")[0] not in registry.installed().origins:
        return repr(mechanism)
    changed = mechanism.set_by_hand
    return f"mechanism({mechanism.name!r}, **{changed!r})" if changed else repr(mechanism.name)


def _values(found: Mapping[str, Any]) -> str:
    values = found["mechanism"]["parameters"].items()
    return ", ".join(f"{n} = {v:g}" if isinstance(v, (int, float)) else f"{n} = {v or 'unset'}" for n, v in values)


def _unclear(found: Mean) -> str:
    if found.low == found.high == 0:
        return ", no difference at all"
    if math.isnan(found.low):
        return " (one particle says nothing about chance)"
    return ", which could be chance" if found.low <= 0 <= found.high else ""


def _particles(result: Comparison) -> str:
    return f"{tables.counted(result)} particles" if result.crystals != (1, 1) else "particle"


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
