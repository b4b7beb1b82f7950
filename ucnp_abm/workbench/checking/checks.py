"""Whether a mechanism keeps what every mechanism must keep: the list of checks, and the report."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

from ucnp_abm.crystal.particle import Particle
from ucnp_abm.crystal.species import RE
from ucnp_abm.engine.protocol import Protocol
from ucnp_abm.errors import BadInput, UcnpError
from ucnp_abm.rules.check import check
from ucnp_abm.rules.law import name_of, place_of
from ucnp_abm.rules.mechanism import Mechanism
from ucnp_abm.workbench.checking import balance, laws, replay, rows
from ucnp_abm.workbench.checking.finding import ERROR, Finding, Report
from ucnp_abm.workbench.checking.trial import Trial, on_trial, parts_of, species_of
from ucnp_abm.workbench.checking.watching import Watch

CHECKS = (
    "source and summary",
    "table",
    "barriers",
    "determinism",
    "globals",
    "detailed balance",
    replay.CHECK,
    "rules that apply",
    "output",
    "reach",
    "unused reads",
    "unused parameters",
    "usual units",
)
"""All checks of a mechanism, the worst first."""
_SHARE = 3.0
"""Per cent of the core that each ion has that a mechanism names and the paper's composition does not hold."""


def check_mechanism(
    mechanism: Mechanism,
    particle: Particle | None = None,
    *,
    events: int = 2000,
    protocol: Protocol | str | float = "300 °C",
) -> Report:
    """Check a mechanism with its present parameter values; whatever is wrong is a finding and raises nothing.

    Parameters
    ----------
    mechanism : Mechanism
    particle : Particle or None
        None: a small one of the paper's composition, with the ions that the mechanism names, see `particle_for`.
    events : int
        Length of the run that is done three ways.
    protocol : Protocol, str or float
        Of that run.

    Raises
    ------
    BadInput
        If it is no mechanism at all.

    Examples
    --------
    >>> from ucnp_abm import mechanism
    >>> report = check_mechanism(mechanism("y-complex"), events=100)
    >>> report.ok, report.findings, report.environments
    (True, (), 125)
    """
    if not isinstance(mechanism, Mechanism):
        raise BadInput(f"mechanism: expected a Mechanism, such as ucnp_abm.mechanism('y-complex'), got {mechanism!r}")
    checking = _Checking(mechanism)
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        checking.all(mechanism, particle, events, protocol)
    worst = sorted(checking.findings, key=lambda f: (f.severity != ERROR, CHECKS.index(f.check)))
    done = tuple(name for name in CHECKS if name in checking.done)
    return Report(mechanism.name, done, tuple(worst), checking.environments, tuple(checking.sampled))


def particle_for(mechanism: Mechanism) -> Particle:
    """A small particle with all zones, of the paper's composition and with the ions that a mechanism names."""
    return Particle.core_shell(core=_core(mechanism), diameter="2.4 nm", shell="NaYF4", thickness="0.8 nm", seed=1)


def _core(mechanism: Mechanism) -> str:
    there = ("Y", "Gd", "Yb", "Tm")
    named = [symbol for symbol in species_of(mechanism) if symbol in RE and symbol not in there]
    others = "".join(f", {_SHARE:g}% {symbol}" for symbol in named)
    return f"NaGdF4: {49 - len(named) * _SHARE:g}% Yb, 1% Tm{others}"


def _other_crystals(mechanism: Mechanism) -> list[Particle]:
    """A large particle of two shells, the other phase, a crystal without a surface: laws may have lines for them."""
    core = _core(mechanism)
    shells = [("NaYF4", "0.8 nm"), ("NaGdF4", "0.85 nm")]
    return [
        Particle.core_shell(core=core, diameter="6.7 nm", shells=shells, seed=1),
        Particle.core_shell(core=core, diameter="2.4 nm", shell="NaYF4", thickness="0.8 nm", lattice="alpha", seed=1),
        Particle.box(lattice="beta", cells=(4, 4, 4), composition=core, vacancies=4, seed=1),
    ]


class _Checking:
    """What was done and found so far."""

    def __init__(self, mechanism: Mechanism) -> None:
        self.owner = f"{mechanism.name}: "
        self.done: list[str] = []
        self.findings: list[Finding] = []
        self.environments = 0
        self.sampled: dict[str, None] = {}

    def all(
        self, mechanism: Mechanism, particle: Particle | None, events: int, protocol: Protocol | str | float
    ) -> None:
        self._do("source and summary", lambda: laws.origins(mechanism))
        made = self._tried("table", lambda: particle or particle_for(mechanism))
        if made is None:
            return
        watches: dict[tuple[str, int], Watch] = {}
        trials: list[Trial] = []
        present = [] if particle else [symbol for symbol in species_of(mechanism) if symbol not in made.counts]
        self.done.append("table")
        for number, variant in enumerate(_words(mechanism)):
            trial = self._tried("table", lambda v=variant: on_trial(v, made, watches, present))  # type: ignore[misc]
            if trial is None:
                continue
            trials.append(trial)
            self._table(trial)
            self.sampled |= dict.fromkeys(name_of(law) for law in trial.table.on_the_way) if trial.table else {}
            self.environments += len(trial.answers) if number == 0 else _new(trial, trials[:-1])
            self._do("barriers", lambda t=trial: rows.barriers(t))  # type: ignore[misc]
            self._do("determinism", lambda t=trial: rows.determinism(t))  # type: ignore[misc]
            self._do("globals", lambda t=trial: laws.outside(t))  # type: ignore[misc]
            self._do("detailed balance", lambda t=trial: balance.balance(t))  # type: ignore[misc]
            if trial.table is not None:
                self._do("rules that apply", lambda t=trial: rows.application(t))  # type: ignore[misc]
            self._do("usual units", lambda t=trial: rows.usual_units(t))  # type: ignore[misc]
        if not trials:
            return
        self._do("output", lambda: laws.output(watches.values()))
        others = [] if particle else [made, *_other_crystals(mechanism)]
        self._in_vain(mechanism, others or [made], watches, trials)
        usable = {"table", "barriers", "determinism"}
        if not any(found.check in usable and found.severity == ERROR for found in self.findings):
            self._do(replay.CHECK, lambda: replay.replay(mechanism, made, protocol, events, present))

    def _table(self, trial: Trial) -> None:
        """Why laws stand in no table, and what a run would refuse besides."""
        for error, watch in trial.refused:
            text = str(error).removeprefix(self.owner)
            if watch is not None:
                text = text.replace(f" ({place_of(watch.law)})", "")
            self._add(Finding("table", ERROR, text, watch.place() if watch else ""))
        odd = trial.refused or any(answers.refusal for answers in trial.answers)
        if trial.table is not None and not odd and not list(balance.potentials(trial)):
            table = trial.table
            self._tried("table", lambda: check(table))

    def _in_vain(
        self,
        mechanism: Mechanism,
        particles: list[Particle],
        watches: dict[tuple[str, int], Watch],
        trials: list[Trial],
    ) -> None:
        """Lines, counts and parameters that nothing needs: with other values, or elsewhere, they may be needed.

        What a law reads beyond its error or beyond a sample nobody knows, so then no parameter is called unused.
        """
        stopped = bool(self.sampled) or any(
            one.check in ("table", "barriers") and one.severity == ERROR for one in self.findings
        )

        def found() -> list[Finding]:
            return [
                *laws.lines(watches.values(), trials),
                *laws.words(watches.values(), trials),
                *rows.reads(trials),
                *rows.levels(trials),
                *([] if stopped else laws.parameters(mechanism, watches.values())),
            ]

        names = ("reach", "unused reads", *(() if stopped else ("unused parameters",)))
        kept = self._tried(names[0], found) or []
        if kept:
            others = [(mechanism, particle) for particle in particles[1:]]
            for variant, particle in [*((one, particles[0]) for one in _bounds(mechanism)), *others]:
                try:
                    trials.append(on_trial(variant, particle, watches, closely=False))
                except UcnpError:  # these values go with other ones only
                    continue
            kept = found()
        self.done += names
        for one in kept:
            self._add(one)

    def _do(self, name: str, checks: Callable[[], Iterable[Finding]]) -> None:
        self.done.append(name)
        for one in self._tried(name, lambda: list(checks())) or ():
            self._add(one)

    def _tried(self, name: str, make: Callable[[], Any]) -> Any:
        """What a check makes; None if it is refused, which is a finding."""
        try:
            return make()
        except UcnpError as error:
            self._add(Finding(name, ERROR, str(error).removeprefix(self.owner)))
            return None

    def _add(self, found: Finding) -> None:
        """Each finding once, though it may show with several words of a choice."""
        if not any(one.message.partition(" (in ")[0] == found.message.partition(" (in ")[0] for one in self.findings):
            self.findings.append(found)


def _words(mechanism: Mechanism) -> Iterator[Mechanism]:
    """The mechanism as it is, and with every other word of its choices and of those of its drives."""
    yield mechanism
    for key, parameter, value in _parameters(mechanism):
        for word in parameter.choices:
            if word != value and not key.endswith(".shape"):
                yield mechanism.with_parameters(**{key: word})


def _bounds(mechanism: Mechanism) -> Iterator[Mechanism]:
    """The mechanism with each number at its bounds or, without bounds, somewhere else."""
    for key, parameter, value in _parameters(mechanism):
        if not parameter.choices:
            some = parameter.high if parameter.high < float("inf") else 2.0 * float(value or 0.5)
            for number in {parameter.low, some, parameter.low / 2 + some / 2} - {value}:
                try:
                    yield mechanism.with_parameters(**{key: number})
                except BadInput:  # such as half a count
                    continue


def _parameters(mechanism: Mechanism) -> Iterator[tuple[str, Any, Any]]:
    """Each parameter as `with_parameters` takes it, with its present value."""
    for number, (name, part) in enumerate(parts_of(mechanism)):
        for parameter in part.parameters.values():
            yield f"{name}.{parameter.name}" if number else parameter.name, parameter, part.values[parameter.name]


def _new(trial: Trial, before: list[Trial]) -> int:
    """Environments of laws that were not asked in earlier trials."""
    known = {id(answers.rate.rule.law) for other in before for answers in other.answers}
    return sum(id(answers.rate.rule.law) not in known for answers in trial.answers)
