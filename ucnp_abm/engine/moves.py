"""What could happen, and what did: moves with their rates and reasons, and events."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ucnp_abm.rules.env import HopEnv, SiteEnv
from ucnp_abm.rules.ruleset import HopRule, SiteRule


@dataclass(frozen=True)
class Move:
    """One event that could happen now.

    Attributes
    ----------
    verb : str
        'hop', 'dock', 'undock', 'etch', 'swap', 'unswap' or 'sink'.
    species : str
        The ion that hops, is placed or is taken.
    site, to : int
        Site numbers: of the vacancy and of the ion that will fill it; equal for one-site verbs.
    rate : float
        1/s.
    barrier, energy_step, activation : float
        What the law says, the energy difference of the event, and the activation energy / eV.
    attempt, factor, temperature : float
        1/s; what multiplies the rate outside the table (activity of the reservoir, drives); K.
    assisted : float
        Part of the rate / s⁻¹ that a drive's recombinations add.
    environment : HopEnv or SiteEnv or None
        What the law saw; None where no rule exists.
    rule : HopRule or SiteRule or None
    row : int
        Row of the rate table.
    """

    verb: str
    species: str
    site: int
    to: int
    rate: float
    barrier: float
    energy_step: float
    activation: float
    attempt: float
    factor: float
    assisted: float
    temperature: float
    environment: HopEnv | SiteEnv | None
    rule: HopRule | SiteRule | None
    row: int

    @property
    def source(self) -> str:
        """Where the law stands: 'barrier, y_complex.py line 26'."""
        if self.rule is None:
            return "no rule"
        code = getattr(self.rule.law, "__code__", None)
        name = getattr(self.rule.law, "__name__", "law")
        return f"{name}, {Path(code.co_filename).name} line {code.co_firstlineno}" if code else name

    def __str__(self) -> str:
        arrow = f"site {self.site} -> {self.to}" if self.verb == "hop" else f"site {self.site}"
        what = f"{self.verb} {self.species}"
        return f"{what:<11} {arrow:<20} {self.rate:10.3e} /s   E_a {self.activation:.3f} eV   {self.source}"


@dataclass(frozen=True)
class Event:
    """An event that happened.

    Attributes
    ----------
    number : int
        1 for the first event of the run.
    candidate : int
        Number of the candidate that owned the random words; null candidates lie between events.
    time : float
        s.
    slot : int
        Identity of the ion that moved, or of the site's occupant that changed.
    move : Move
        The event as it stood just before it happened.
    total_rate : float
        Sum of the rates / s⁻¹ of all events that could have happened instead.
    words : tuple of 4 int
        The random words: pool, member and direction, acceptance, waiting time.
    """

    number: int
    candidate: int
    time: float
    slot: int
    move: Move
    total_rate: float
    words: tuple[int, int, int, int]

    @property
    def verb(self) -> str:
        return self.move.verb

    @property
    def species(self) -> str:
        return self.move.species

    @property
    def probability(self) -> float:
        """Chance of this event among all that could have happened next."""
        return self.move.rate / self.total_rate

    def __str__(self) -> str:
        return f"#{self.number} at {self.time:.6g} s: {self.move}"


def formula_of(move: Move) -> str:
    """How the activation energy of an event follows from what its law says and the energy difference."""
    if move.rule is None or move.rule.irreversible:
        return "the law's own number (declared irreversible)"
    formulas = {
        "hop": "max(E_KRA + dE/2, dE, 0)",
        "dock": "max(E_dock, dE, 0), dE = g - mu0",
        "swap": "max(E_swap, dE, 0), dE = g - mu0",
    }
    return formulas.get(move.verb, "max(E, -dE, 0) + dE, dE = mu0 - g")


def explain(event: Event) -> str:
    """Why this event: rule, environment, energies, rate, probability and the random words, as text."""
    move = event.move
    light = f" + {move.assisted:.6g} /s by the drive" if move.assisted else ""
    to = f" -> {move.to}" if move.verb == "hop" else ""
    lines = [
        f"#{event.number} at {event.time:.6g} s: {move.verb} {move.species}, site {move.site}{to}",
        f"  rule         {move.source}",
        f"  environment  {move.environment!r}",
        f"  barrier      {move.barrier:.6g} eV from the law, dE = {move.energy_step:.6g} eV",
        f"  activation   {move.activation:.6g} eV = {formula_of(move)}",
        f"  rate         {move.rate:.6g} /s = {move.factor:g} x {move.attempt:.3g} /s x exp(-E_a / kT){light}, "
        f"T = {move.temperature:g} K",
        f"  probability  {event.probability:.4g} of a total of {event.total_rate:.6g} /s",
        f"  candidate    {event.candidate}, words {' '.join(f'{w:016x}' for w in event.words)}",
    ]
    return "\n".join(lines)
