"""The file of a rate set: what it must hold, with every problem reported at once."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ucnp_abm.errors import BadInput, nearest, shown

Rate = Annotated[float, Field(ge=0, allow_inf_nan=False, strict=False)]
Pair = tuple[str, tuple[str, str], str, tuple[str, str]]
_PAIR = re.compile(r"^(\w+) (\S+) -> (\S+), (\w+) (\S+) -> (\S+)$")


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Level(_Table):
    """A level: energy / 1/cm above an origin common to the ion, and its rates / 1/s to levels below."""

    energy: Annotated[float, Field(allow_inf_nan=False)]
    radiative: dict[str, Rate] = {}
    nonradiative: dict[str, Rate] = {}


class Units(_Table):
    """The units of all numbers: no others are read."""

    energy: Literal["1/cm"]
    rate: Literal["1/s"]
    transfer: Literal["cm^6/s"]
    cross_section: Literal["cm^2"]


class RateFile(_Table):
    """A whole file.

    `lumps` joins levels of an ion under a name; `transfers` holds C / cm⁶/s by
    'Yb 2F5/2 -> 2F7/2, Tm 3H6 -> 3H5'.
    """

    name: Annotated[str, Field(min_length=1)]
    source: Annotated[str, Field(min_length=1)]
    notes: list[str] = []
    units: Units
    absorption_980nm: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]]
    levels: dict[str, dict[str, Level]]
    lumps: dict[str, dict[str, list[str]]] = {}
    transfers: dict[str, Rate]

    def pairs(self) -> dict[Pair, float]:
        """The transfers, taken apart."""
        return {_taken_apart(key): constant for key, constant in self.transfers.items()}


def read_file(data: dict[str, Any], where: str) -> RateFile:
    """Check plain data as a rate set.

    Raises
    ------
    BadInput
        With every problem.
    """
    try:
        file = RateFile.model_validate(data)
    except ValidationError as error:
        found = [
            f"{'.'.join(str(part) for part in one['loc'])}: {_said(one)}" for one in error.errors(include_url=False)
        ]
        raise _refused(where, found) from None
    found = [*_levels(file), *_lumps(file), *_transfers(file)]
    if found:
        raise _refused(where, found)
    return file


def _refused(where: str, problems: list[str]) -> BadInput:
    many = f"{len(problems)} problem" + ("s" if len(problems) > 1 else "")
    return BadInput(f"rate set '{where}': {many}\n" + "\n".join(f"  {problem}" for problem in problems))


def _said(problem: Any) -> str:
    if problem["type"] == "missing":
        return "is missing"
    if problem["type"] == "extra_forbidden":
        return "unknown key" + (
            nearest(str(problem["loc"][-1]), RateFile.model_fields) if len(problem["loc"]) == 1 else ""
        )
    return f"{problem['msg'][0].lower()}{problem['msg'][1:]}, got {shown(problem['input'])}"


def _levels(file: RateFile) -> Iterator[str]:
    if "Yb" not in file.absorption_980nm:
        yield "absorption_980nm.Yb: is missing: it absorbs the pump"
    if len(file.levels.get("Yb", {})) != 2:
        yield f"levels.Yb: expected the two levels of Yb, got {len(file.levels.get('Yb', {}))}"
    for ion, levels in file.levels.items():
        if not levels:
            yield f"levels.{ion}: expected at least a ground state"
            continue
        ground = min(levels, key=lambda label: levels[label].energy)
        for label, level in levels.items():
            here = f"levels.{ion}.{label}"
            ends = [*level.radiative, *level.nonradiative]
            yield from (
                f"{here}: decays to '{end}', no level of {ion}{nearest(end, levels)}"
                for end in ends
                if end not in levels
            )
            for end in ends:
                if end in levels and levels[end].energy >= level.energy:
                    yield f"{here}: decays to '{end}', which is not below it"
            if label != ground and not math.fsum((*level.radiative.values(), *level.nonradiative.values())) > 0:
                yield f"{here}: never decays; every excited level needs a rate above zero"


def _lumps(file: RateFile) -> Iterator[str]:
    for ion, lumps in file.lumps.items():
        levels, taken = file.levels.get(ion, {}), set()
        for name, members in lumps.items():
            if not members:
                yield f"lumps.{ion}.{name}: expected at least one level"
            for member in members:
                if member not in levels:
                    yield f"lumps.{ion}.{name}: no level '{member}' of {ion}{nearest(member, levels)}"
                if member in taken:
                    yield f"lumps.{ion}.{name}: '{member}' is in two lumps"
                taken.add(member)
            if name in levels and name not in members:
                yield f"lumps.{ion}.{name}: is also the name of a level that is none of its members"


def _transfers(file: RateFile) -> Iterator[str]:
    for key in file.transfers:
        if not _PAIR.match(key):
            yield f"transfers.'{key}': expected a key such as 'Yb 2F5/2 -> 2F7/2, Tm 3H6 -> 3H5'"
            continue
        donor, down, acceptor, up = _taken_apart(key)
        for ion, pair in ((donor, down), (acceptor, up)):
            if ion not in file.levels:
                yield f"transfers.'{key}': no levels of {ion}"
                continue
            yield from (f"transfers.'{key}': no level '{end}' of {ion}" for end in pair if end not in file.levels[ion])
        levels = file.levels.get(donor, {})
        if down[0] in levels and down[1] in levels and levels[down[0]].energy <= levels[down[1]].energy:
            yield f"transfers.'{key}': the first ion must go down, {down[1]} is not below {down[0]}"


def _taken_apart(key: str) -> Pair:
    found = _PAIR.match(key)
    assert found
    donor, d0, d1, acceptor, a0, a1 = found.groups()
    return donor, (d0, d1), acceptor, (a0, a1)
