"""A drive: what a laser does to an annealing crystal. It combines with any mechanism: "y-complex+laser-thermal".

A drive has a level between 0 and 1 over time (constant, a ramp as a staircase, or a train of pulses), and effects in
proportion to it. Energies stay those of the mechanism; a drive acts on temperature and rates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ucnp_abm.errors import BadInput, BadMechanism
from ucnp_abm.rules.parametrised import Amount
from ucnp_abm.rules.ruleset import Ruleset

MAX_EDGES = 100_000


@dataclass(frozen=True)
class Assistance:
    """Recombinations that help a vacancy at an exposed site to hop: k += rate exp(-max(E_a - relief, 0)/kT)."""

    rate: Any
    relief: Any


class Drive(Ruleset):
    """An external drive, with parameters that set its course over time and its effects.

    Parameters
    ----------
    name, summary, source : str
        As for a `Mechanism`.

    Notes
    -----
    Every drive has the parameters `shape` ('constant', 'ramp' or 'pulses'), `begin`, `ramp_time` and `stairs` (a ramp
    is a staircase of equal stairs, each at the ramp's mean level), `pulse_time`, `period` and `pulses`.

    Examples
    --------
    >>> lamp = Drive("lamp", summary="A lamp warms the bath.", source="Assumption: an example")
    >>> rise = lamp.parameter("rise", "20 K", kind="temperature difference", doc="How much warmer.")
    >>> lamp.warm(rise)
    >>> lamp.with_parameters(shape="pulses", period="60 s", pulse_time="5 s", pulses=2).profile()
    [(0.0, 1.0), (5.0, 0.0), (60.0, 1.0), (65.0, 0.0)]
    """

    def __init__(self, name: str, *, summary: str, source: str) -> None:
        super().__init__(name, summary=summary, source=source)
        self.warming: Amount = 0.0
        self.assistance: Assistance | None = None
        self.factors: dict[str, Amount] = {}
        self.choice("shape", "constant", ("constant", "ramp", "pulses"), doc="Course of the drive over time.")
        self.parameter("begin", 0.0, kind="time", doc="When it is switched on.")
        self.parameter("ramp_time", "10 min", kind="time", low=1e-9, doc="Duration of a ramp from nothing to full.")
        self.parameter("stairs", 20, kind="count", low=1, high=10_000, doc="Stairs of a ramp.")
        self.parameter("pulse_time", "1 s", kind="time", low=1e-12, doc="Duration of a pulse.")
        self.parameter("period", "60 s", kind="time", low=1e-12, doc="From the begin of a pulse to the next.")
        self.parameter("pulses", 60, kind="count", low=1, high=MAX_EDGES // 2, doc="Number of pulses.")

    # --- effects ---

    def warm(self, rise: Amount) -> None:
        """Effect: the temperature rises by `rise` / K times the level."""
        self._own(rise, "warm", "temperature difference")
        self.warming = rise

    def assist_hops(self, *, rate: Amount, relief: Amount) -> None:
        """Effect: hops of exposed vacancies gain level * rate * exp(-max(E_a - relief, 0)/kT).

        `rate` / s⁻¹ counts recombinations, `relief` / eV is the energy that one of them lends. Detailed balance is
        broken: the way back, from a vacancy that is not exposed, gains nothing.
        """
        self._own(rate, "assist_hops: rate", "rate")
        self._own(relief, "assist_hops: relief", "energy")
        self.assistance = Assistance(rate, relief)

    def multiply(self, verb: str, factor: Amount) -> None:
        """Effect: rates of a verb ('dock', …) are multiplied by 1 + level (factor - 1); its reverse is not."""
        if verb not in ("dock", "etch", "swap", "sink"):
            raise BadMechanism(f"{self.name}: multiply: expected 'dock', 'etch', 'swap' or 'sink', got '{verb}'")
        self._own(factor, f"multiply {verb}", "number")
        self.factors[verb] = factor

    # --- what the engine asks ---

    def profile(self) -> list[tuple[float, float]]:
        """(begin / s, level) of each segment; the level before the first one is 0.

        Raises
        ------
        BadInput
            If pulses are longer than their period.
        """
        v = {name: float(value) for name, value in self.values.items() if isinstance(value, (int, float))}
        begin = v["begin"]
        if self.values["shape"] == "ramp":
            n = int(v["stairs"])
            stairs = [(begin + v["ramp_time"] * k / n, (k + 0.5) / n) for k in range(n)]
            return [*stairs, (begin + v["ramp_time"], 1.0)]
        if self.values["shape"] == "pulses":
            if v["pulse_time"] >= v["period"]:
                raise BadInput(
                    f"{self.name}: a pulse of {v['pulse_time']:g} s does not fit into a period of {v['period']:g} s"
                )
            starts = [begin + v["period"] * n for n in range(int(v["pulses"]))]
            if starts[-1] + v["pulse_time"] == starts[-1]:
                raise BadInput(
                    f"{self.name}: a pulse of {v['pulse_time']:g} s at {starts[-1]:g} s is too short to tell"
                )
            return [edge for start in starts for edge in ((start, 1.0), (start + v["pulse_time"], 0.0))]
        return [(begin, 1.0)]

    def rise(self) -> float:
        """Temperature rise / K at full level."""
        return self._number(self.warming, "temperature difference", "warm", 0.0)

    def assisted(self) -> tuple[float, float]:
        """Recombinations / s⁻¹ at full level, and the energy / eV that each lends."""
        if self.assistance is None:
            return 0.0, 0.0
        rate = self._number(self.assistance.rate, "rate", "assist_hops: rate", 0.0)
        return rate, self._number(self.assistance.relief, "energy", "assist_hops: relief", 0.0)

    def factor(self, verb: str, level: float) -> float:
        """By how much the rates of a verb are multiplied at a level."""
        if verb not in self.factors:
            return 1.0
        return 1.0 + level * (self._number(self.factors[verb], "number", f"multiply {verb}", 0.0) - 1.0)

    @property
    def irreversible(self) -> list[str]:
        """What breaks detailed balance under this drive."""
        found = ["hops of exposed vacancies are assisted"] if self.assistance else []
        found += [f"the rate of '{verb}' is multiplied, that of its reverse is not" for verb in self.factors]
        return found + [f"{verb} of exposed ions" for verb in dict.fromkeys(r.verb for r in self.site_rules)]

    def _number(self, value: Amount, kind: str, what: str, low: float) -> float:
        number = self.amount(value, kind, what)
        if number is None or number < low:
            raise BadInput(f"{self.name}: {what}: expected a number of at least {low:g}, got {number}")
        return number

    def __repr__(self) -> str:
        return f"<Drive '{self.name}': {self.summary}>"
