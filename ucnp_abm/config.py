"""Configuration files: TOML, checked as a whole, with every problem reported at once by line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from ucnp_abm import units
from ucnp_abm.crystal import composition
from ucnp_abm.crystal import lattice as lattices
from ucnp_abm.crystal.particle import CoreShell
from ucnp_abm.engine.protocol import Protocol
from ucnp_abm.errors import BadInput, nearest


def _number(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError(f"expected a number, got {value}")
    return value


NUMBER = BeforeValidator(_number)
SEED = Annotated[int, Field(ge=0), NUMBER]


def _quantity(kind: str, check: Any = units.positive) -> Any:
    """A field that keeps the text and is checked as a quantity."""

    def validate(value: Any) -> Any:
        if check is units.fraction:
            units.fraction(value, "value")
        else:
            check(value, kind, "value")
        return value

    return BeforeValidator(validate)


def _checked(check: Any) -> Any:
    def validate(value: Any) -> Any:
        check(value)
        return value

    return BeforeValidator(validate)


Length = Annotated[str | float, _quantity("length")]
Time = Annotated[str | float, _quantity("time")]
Share = Annotated[str | float, _quantity("fraction", units.fraction)]
Text = Annotated[str, _checked(lambda text: composition.parse(text, "value"))]


class Section(BaseModel):
    """A table of the file; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ParticleSection(Section):
    """[particle]: how the crystal is grown; see `CoreShell`."""

    core: Text
    diameter: Length
    shell: Text | None = None
    thickness: Length | None = None
    shells: tuple[tuple[Text, Length], ...] = ()
    surface_vacancies: Share = CoreShell.surface_vacancies
    interface_vacancies: Share = CoreShell.interface_vacancies
    bulk_vacancies: Share = CoreShell.bulk_vacancies
    interface_width: Length = CoreShell.interface_width
    lattice: Annotated[str, _checked(lattices.named)] = "beta"
    order: Literal["disordered", "ordered"] = "disordered"
    counts: Literal["exact", "random"] = "exact"
    seed: SEED = 0

    @model_validator(mode="after")
    def _grows(self) -> ParticleSection:
        self.recipe().layers()
        return self

    def recipe(self) -> CoreShell:
        """The recipe that this section describes."""
        return CoreShell(**self.model_dump(exclude={"seed"}))


class MechanismSection(Section):
    """[mechanism]: which plugin, with which parameters."""

    name: str
    parameters: dict[str, Annotated[str | float, NUMBER]] = {}


class AnnealSection(Section):
    """[anneal]: the protocol, and for how long."""

    protocol: Annotated[str | float, _checked(Protocol.parse)] = "300 °C"
    steps: Annotated[float, Field(gt=0, allow_inf_nan=False), NUMBER] | None = None
    duration: Time | None = None

    @model_validator(mode="after")
    def _ends(self) -> AnnealSection:
        if self.steps is not None and self.duration is not None:
            raise ValueError("give either 'steps' or 'duration', not both")
        return self


class RunSection(Section):
    """[run]: seed of the events, scheduler, and what is recorded."""

    seed: SEED = 0
    scheduler: Literal["rejection", "linear-scan"] = "rejection"
    samples: Annotated[int, Field(ge=1, le=100_000), NUMBER] = 100
    snapshots: Annotated[int, Field(ge=0, le=10_000), NUMBER] = 10


class Config(Section):
    """A whole file."""

    particle: ParticleSection
    mechanism: MechanismSection
    anneal: AnnealSection = AnnealSection()
    run: RunSection = RunSection()


def load(path: Path) -> Config:
    """Read and check a configuration file.

    Raises
    ------
    BadInput
        With every problem, its line, and the nearest valid name.
    """
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except FileNotFoundError:
        raise BadInput(f"{path}: no such file, and no mechanism of that name") from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: cannot be read as text ({error})") from error
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{path}: is not TOML ({error})") from error
    try:
        return Config.model_validate(data)
    except ValidationError as error:
        problems = list(_problems(error, _lines(text)))
        many = f"{len(problems)} problem" + ("s" if len(problems) > 1 else "")
        raise BadInput(f"{path}: {many}\n" + "\n".join(f"  {p}" for p in problems)) from None


def _problems(error: ValidationError, lines: dict[tuple[str, ...], int]) -> Iterator[str]:
    seen = set()
    for problem in error.errors(include_url=False):
        where = tuple(str(part) for part in problem["loc"])
        if problem["type"] != "extra_forbidden":  # leave out positions in lists and the members of unions
            where = tuple(part for part in where if re.fullmatch(r"[a-z_]+", part) and part not in ("str", "float"))
        named = where
        message = str(problem.get("ctx", {}).get("error", problem["msg"])).removeprefix("value: ")
        if problem["type"] == "extra_forbidden":
            message = "unknown key" + nearest(named[-1], _keys(named[:-1]))
        elif problem["type"] == "missing":
            message = "is missing"
        elif problem["type"] in ("model_type", "dict_type"):
            message = f"expected a table, got {problem['input']!r}"
        elif problem["type"] == "tuple_type":
            message = f"expected [[composition, thickness], …], got {problem['input']!r}"
        elif problem["type"] != "value_error":
            message = f"{problem['msg'][0].lower()}{problem['msg'][1:]}, got {problem['input']!r}"
        line = next((lines[named[:n]] for n in range(len(named), 0, -1) if named[:n] in lines), None)
        text = f"{'.'.join(named)}: {message}"
        if (named, line) not in seen:
            seen.add((named, line))
            yield f"line {line}: {text}" if line else text


def _keys(where: tuple[str, ...]) -> list[str]:
    fields: Any = Config.model_fields
    for part in where:
        fields = fields[part].annotation.model_fields
    return list(fields)


def _lines(text: str) -> dict[tuple[str, ...], int]:
    """Line of each key and table."""
    table: tuple[str, ...] = ()
    found: dict[tuple[str, ...], int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[+([\w.\-\"]+)\]+", line):
            table = tuple(part.strip('"') for part in header[1].split("."))
            found.setdefault(table, number)
        elif key := re.match(r"\s*([\w.\-\"]+)\s*=", line):
            found.setdefault((*table, *key[1].strip('"').split(".")), number)
    return found
