"""Annealing protocols: piecewise-constant temperature, and the step that makes mechanisms comparable.

One step is the mean time between two hops of a bulk vacancy at the reference barrier:
steps(t) = ∫ z k_ref(T) dt with k_ref = nu exp(-E_ref / kT). It belongs to the protocol, not to the mechanism, so
all mechanisms are compared at equal steps. Assumption: this is our reading of the paper's "Monte Carlo step".
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from ucnp_abm import units
from ucnp_abm.errors import BadInput, shown

_PHASE = re.compile(r"^\s*(.+?)(?:\s+for\s+(.+?))?\s*$")


COLDEST, HOTTEST = 100.0, 3000.0
"""Temperatures / K beyond which the model says nothing: no cation moves in an age, or the crystal has melted."""


def _kelvin(text: str) -> float:
    kelvin = units.positive(text, "temperature", "temperature")
    if not COLDEST <= kelvin <= HOTTEST:
        raise BadInput(f"temperature: {text} lies outside {COLDEST:g} to {HOTTEST:g} K")
    return kelvin


@dataclass(frozen=True)
class Protocol:
    """Temperatures over time.

    Attributes
    ----------
    edges : tuple of float
        Begin of each segment / s; the first is 0, the last segment never ends.
    temperatures : tuple of float
        Temperature of each segment / K.
    duration : float
        Time / s that the text asks for; infinity if it names none.
    reference_barrier : float
        E_ref / eV.
    reference_attempt : float
        nu / s⁻¹.
    """

    edges: tuple[float, ...]
    temperatures: tuple[float, ...]
    duration: float = math.inf
    reference_barrier: float = 1.65
    reference_attempt: float = 1e13

    def __post_init__(self) -> None:
        growing = all(a < b for a, b in zip(self.edges, self.edges[1:], strict=False))
        if not self.edges or len(self.edges) != len(self.temperatures) or self.edges[0] != 0 or not growing:
            raise BadInput(
                f"protocol: expected a temperature for each edge, and edges that grow from 0 s, "
                f"got {self.edges} and {self.temperatures}"
            )
        for kelvin in self.temperatures:
            _kelvin(f"{kelvin!r}")

    @classmethod
    def parse(cls, text: str | float | Protocol) -> Protocol:
        """Read '300 °C', '300 °C for 1 h' or '200 °C for 1 h, 300 °C for 30 min'; a bare number is in K.

        Raises
        ------
        BadInput
            If a phase cannot be read, or a temperature is not above 0 K.
        """
        if isinstance(text, Protocol):
            return text
        edges, temperatures, now = [0.0], [], 0.0
        phases = text.split(",") if isinstance(text, str) else [str(text)]
        for n, phase in enumerate(phases):
            match = _PHASE.match(phase)
            if not match:
                raise BadInput(f"protocol: expected phases such as '300 °C for 1 h', got {shown(text)}")
            temperatures.append(_kelvin(match[1]))
            if match[2] is None and n < len(phases) - 1:
                raise BadInput(f"protocol: the phase {shown(phase.strip())} needs a duration, such as 'for 1 h'")
            if match[2] is not None:
                now += units.positive(match[2], "time", "duration")
                edges.append(now)
        ends = len(edges) > len(temperatures)
        return cls(tuple(edges[: len(temperatures)]), tuple(temperatures), now if ends else math.inf)

    def temperature(self, time: float) -> float:
        """Temperature / K at a time / s."""
        return self.temperatures[max(n for n, edge in enumerate(self.edges) if edge <= time)]

    def reference_rate(self, temperature: float) -> float:
        """k_ref / s⁻¹."""
        return self.reference_attempt * math.exp(-self.reference_barrier / (units.BOLTZMANN * temperature))

    def steps(self, time: float, z: int) -> float:
        """Steps passed at a time / s on a lattice with z bonds."""
        ends = (*self.edges[1:], math.inf)
        return sum(
            z * self.reference_rate(t) * (min(time, end) - begin)
            for begin, end, t in zip(self.edges, ends, self.temperatures, strict=True)
            if begin < time
        )

    def time(self, steps: float, z: int) -> float:
        """Time / s at which `steps` have passed; the inverse of `steps`."""
        left, ends = float(steps), (*self.edges[1:], math.inf)
        for begin, end, temperature in zip(self.edges, ends, self.temperatures, strict=True):
            pace = z * self.reference_rate(temperature)
            if left <= pace * (end - begin):
                return min(begin + left / pace, end)
            left -= pace * (end - begin)
        return math.inf

    def changed(self, now: float, temperature: float) -> Protocol:
        """The same past, and another temperature / K from `now` / s on."""
        temperature = _kelvin(str(temperature))
        kept = [n for n, edge in enumerate(self.edges) if edge < now]
        edges = (*(self.edges[n] for n in kept), now)
        temperatures = (*(self.temperatures[n] for n in kept), temperature)
        return Protocol(edges, temperatures, math.inf, self.reference_barrier, self.reference_attempt)

    def __str__(self) -> str:
        ends = (*self.edges[1:], self.duration)
        return ", ".join(
            f"{t:g} K" + (f" for {end - begin:g} s" if math.isfinite(end) else "")
            for begin, end, t in zip(self.edges, ends, self.temperatures, strict=True)
        )
