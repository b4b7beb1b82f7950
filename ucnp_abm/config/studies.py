"""Study files: TOML, checked as a whole; axes become settings, and every setting is checked before anything runs."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from ucnp_abm import units
from ucnp_abm.config.files import Lines, checked, keys, put, read, read_setting
from ucnp_abm.config.levels import Changes, changed_by, check_keys, levels_of, quoted, read_axis
from ucnp_abm.config.sections import StudyFile
from ucnp_abm.engine.protocol import Protocol
from ucnp_abm.errors import BadInput, nearest
from ucnp_abm.observables import OBSERVABLES
from ucnp_abm.registry import mechanism
from ucnp_abm.rules.mechanism import Mechanism
from ucnp_abm.study.axes import Levels, arranged, n_settings
from ucnp_abm.study.design import MAX_REPLICATES, Design, design, labels, replicate_seeds
from ucnp_abm.study.grid import MAX_CELLS, Study, points_of

FROM_COMMAND = 0
"""Line of what no file says."""
_TOLD = 12
"""So many levels that are wrong are told one by one."""
TAKEN = ("mechanism", "seed", "replicate", "replicates")
"""Columns of the tables beside observables; an axis cannot be called so."""


def load_study(
    source: str | Path | Mapping[str, Any], settings: Iterable[str] = (), vary: Iterable[str] = (), command: str = ""
) -> Study:
    """A study from its file, or from the same as plain data.

    Parameters
    ----------
    source : path or mapping
        A TOML file, or tables as it would hold them.
    settings : iterable of str
        Changes such as 'study.replicates=4' or 'particle.diameter=8 nm'.
    vary : iterable of str
        Axes such as 'particle.thickness=1 nm, 2 nm', beside those of the file.
    command : str
        What gives the same again, for reports.

    Raises
    ------
    BadInput, BadMechanism
        With every problem, its line and the nearest valid name; or with every setting that cannot be built.

    Examples
    --------
    >>> study = load_study({
    ...     "study": {"mechanisms": ["no-complex", "y-complex"], "replicates": 2},
    ...     "particle": {"core": "NaGdF4: 49% Yb", "diameter": "2.4 nm", "shell": "NaYF4", "thickness": "0.8 nm"},
    ...     "anneal": {"steps": 10},
    ...     "vary": {"particle.thickness": ["0.8 nm", "1.2 nm"]},
    ... })
    >>> study.n_cells, [point.name for point in study.points]
    (8, ['thickness = 0.8 nm', 'thickness = 1.2 nm'])
    """
    if isinstance(source, Mapping):
        data, lines, told = copy.deepcopy(dict(source)), Lines(), "study"
    else:
        data, lines = read(Path(source), "mechanism")
        told = str(source)
    for setting in settings:
        where, value = read_setting(setting, StudyFile)
        lines[where] = FROM_COMMAND
        put(data, where, value, f"--set {setting}")
    for axis in vary:
        key, values = read_axis(axis)
        lines["vary", *key.split(".")] = FROM_COMMAND
        put(data, ("vary", key), values, f"--vary {axis}")
    name = Path(told).stem if not isinstance(source, Mapping) else "study"
    return study_of(data, told, name, lines, command)


def study_of(data: dict[str, Any], told: str, name: str, lines: Lines, command: str = "") -> Study:
    """A study from plain data; see `load_study`."""
    base = _checked(data, told, lines)
    given = base.study
    axes = {axis: levels_of(axis, levels, told) for axis, levels in base.vary.items()}
    texts = {axis: tuple(levels) for axis, levels in axes.items()}
    n_mechanisms = max(1, len(given.mechanisms) + len(base.mechanisms))
    if (n_cells := n_settings(texts, given.arrangement) * n_mechanisms * given.replicates) > MAX_CELLS:
        raise BadInput(f"{told}: {n_cells} runs are more than {MAX_CELLS}; leave out levels or replicates")
    settings = arranged(texts, given.arrangement)
    _check_levels(data, axes, told, lines)

    def build(levels: Levels, point: str) -> Design:
        changed = data
        check_keys({axis: axes[axis][level] for axis, level in levels.items()}, told)
        for axis, level in levels.items():
            changed = changed_by(changed, axes[axis][level], told)
        return _design(_checked(changed, told, lines), point)

    points = points_of(settings, axes, build, given.arrangement)
    known = {column for point in points for column in point.design.columns}
    for axis in axes:
        if axis in known or axis in TAKEN or axis in OBSERVABLES:
            raise BadInput(f"{told}: vary.{quoted(axis)}: the name is that of a column of the tables; take another")
    for column in given.precision:
        if column not in known:
            raise BadInput(f"{told}: study.precision: '{column}' is not compared{nearest(column, sorted(known))}")
    if given.precision and not given.replicates <= given.max_replicates <= MAX_REPLICATES:
        least = f"study.replicates = {given.replicates}"
        raise BadInput(f"{told}: study.max_replicates: expected at least {least} and at most {MAX_REPLICATES}")
    return Study(
        name=given.name or name,
        question=given.question,
        axes=texts,
        points=tuple(points),
        arrangement=given.arrangement,
        seed=given.seed,
        replicates=given.replicates,
        precision=given.precision,
        max_replicates=given.max_replicates,
        source=data,
        command=command or f"load_study({data!r}).run()",
    )


def _check_levels(data: dict[str, Any], axes: Mapping[str, Mapping[str, Changes]], told: str, lines: Lines) -> None:
    """Each level alone; what is wrong with several is told together, what is wrong with all of them, once."""
    refused: dict[str, str] = {}
    for axis, levels in axes.items():
        for level, changes in levels.items():
            changed = changed_by(data, changes, f"{told}: vary.{quoted(axis)}")
            there = _at(lines, ("vary", *axis.split(".")))
            moved = lines | {keys(key, StudyFile, told): there for key in changes}
            try:
                _checked(changed, f"{told} at {axis} = {level}", moved)
            except BadInput as error:
                head, _, problems = str(error).partition("\n")
                refused.setdefault(problems, head)
    if refused:
        more = [f"… and {len(refused) - _TOLD} more"] if len(refused) > _TOLD else []
        raise BadInput("\n".join([f"{head}\n{said}" for said, head in [*refused.items()][:_TOLD]] + more))


def _at(lines: Lines, where: tuple[str, ...]) -> int:
    """Line of a key, or of the table around it."""
    return next((lines[where[:n]] for n in range(len(where), 0, -1) if where[:n] in lines), FROM_COMMAND)


def with_parameters(mechanisms: Mapping[str, Mechanism], parameters: Mapping[str, Any]) -> dict[str, Mechanism]:
    """Mechanisms with the parameters that they have.

    Raises
    ------
    BadInput
        If none of them has a parameter, with the nearest name; or if a value does not fit.
    """
    known = {label: _parameter_names(each) for label, each in mechanisms.items()}
    every = dict.fromkeys(name for names in known.values() for name in names)
    for name in parameters:
        if name not in every:
            raise BadInput(f"none of {', '.join(mechanisms)} has the parameter '{name}'{nearest(name, every)}")
    return {
        label: mechanism(each, **{name: value for name, value in parameters.items() if name in known[label]})
        for label, each in mechanisms.items()
    }


def _parameter_names(chosen: Mechanism) -> list[str]:
    """As `Mechanism.with_parameters` takes them: those of drives also as 'drive.name'."""
    driven = [(drive.name, name) for drive in chosen.drives for name in drive.parameters]
    return [*chosen.parameters, *(name for _, name in driven), *(f"{drive}.{name}" for drive, name in driven)]


def _checked(data: dict[str, Any], told: str, lines: Lines) -> StudyFile:
    found = checked(StudyFile, data, told, lines)
    for section in ("particle", "population", "box"):
        if isinstance(data.get(section), dict) and "seed" in data[section]:
            raise BadInput(f"{told}: {section}.seed: the crystals of a study grow from study.seed; leave it out")
    for name in found.optics:
        if name not in (known := _optics_keys()):
            where = _at(lines, ("optics", name))
            raise BadInput(
                f"{told}: 1 problem\n  {f'line {where}: ' if where else ''}optics.{name}: unknown key"
                f"{nearest(name, known)}"
            )
    return found


def _design(config: StudyFile, point: str) -> Design:
    """What is compared at one setting."""
    given, anneal = config.study, config.anneal
    protocol = Protocol.parse(anneal.protocol)
    if anneal.duration is not None:
        protocol = replace(protocol, duration=units.positive(anneal.duration, "time", "anneal.duration"))
    return design(
        with_parameters(_mechanisms(config), config.mechanism.parameters),
        config.crystal.recipe(),
        protocol,
        replicate_seeds(given.seed, given.replicates),
        anneal.steps,
        given.observables,
        given.marks,
        _optics(config.optics),
        point,
    )


def _mechanisms(config: StudyFile) -> dict[str, Mechanism]:
    named = labels(config.study.mechanisms) if config.study.mechanisms else {}
    for label, table in config.mechanisms.items():
        if label in named:
            raise BadInput(f"mechanisms: the label '{label}' is given twice")
        if not isinstance(table.get("name"), str):
            raise BadInput(f"mechanisms.{quoted(label)}: expected the mechanism's name, as in name = 'y-complex'")
        named[label] = mechanism(str(table["name"]), **{k: v for k, v in table.items() if k != "name"})
    if not named:
        raise BadInput("study.mechanisms: expected at least one, such as ['no-complex', 'y-complex'], got none")
    return labels(named)


def _optics(table: Mapping[str, Any]) -> Any:
    """Optics, or None for the default ones: photons are imported where light is set."""
    if not table:
        return None
    from ucnp_abm.photons.optics import Optics

    return Optics.of(**table)


def _optics_keys() -> list[str]:
    from ucnp_abm.photons.optics import Optics

    return [field.name for field in fields(Optics)]
