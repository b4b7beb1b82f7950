"""The sections of a configuration: how the crystal is grown, by what and how it is annealed, what is recorded."""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from ucnp_abm import units
from ucnp_abm.crystal import composition
from ucnp_abm.crystal import lattice as lattices
from ucnp_abm.crystal.particle import Box, CoreShell
from ucnp_abm.crystal.population import Population
from ucnp_abm.engine.protocol import Protocol
from ucnp_abm.engine.simulation import Scheduler


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
Offset = Annotated[str | float, _checked(lambda value: units.parse(value, "length", "value"))]
Time = Annotated[str | float, _quantity("time")]
Share = Annotated[str | float, _quantity("fraction", units.fraction)]
Text = Annotated[str, _checked(lambda text: composition.parse(text, "value"))]
Ratio = Annotated[float, NUMBER]
AnyLattice = Annotated[str | dict[str, Any], _checked(lattices.named)]


class Section(BaseModel):
    """A table of the file; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class GrowthSection(Section):
    """How one kind of core-shell crystal is grown; see `CoreShell`."""

    core: Text
    diameter: Length
    shell: Text | None = None
    thickness: Length | None = None
    shells: tuple[tuple[Text, Length], ...] = ()
    surface_vacancies: Share = CoreShell.surface_vacancies
    interface_vacancies: Share = CoreShell.interface_vacancies
    bulk_vacancies: Share = CoreShell.bulk_vacancies
    interface_width: Length = CoreShell.interface_width
    lattice: AnyLattice = "beta"
    order: Literal["disordered", "ordered"] = "disordered"
    counts: Literal["exact", "random"] = "exact"
    offset: tuple[Offset, Offset, Offset] | None = None
    elongation: Ratio = 1.0
    anisotropy: Ratio = 1.0

    @model_validator(mode="after")
    def _grows(self) -> GrowthSection:
        self.core_shell().layers()
        return self

    def core_shell(self) -> CoreShell:
        """The recipe of its crystals at their mean size."""
        return CoreShell(**self.model_dump(include={f.name for f in fields(CoreShell)}))


class ParticleSection(GrowthSection):
    """[particle]: one kind of core-shell crystal, all alike or with spread sizes; see `Population`."""

    diameter_spread: Share = 0.0
    thickness_spread: Share = 0.0
    seed: SEED = 0

    def recipe(self) -> CoreShell | Population:
        """The recipe that this section describes."""
        spread = units.fraction(self.diameter_spread, "value") + units.fraction(self.thickness_spread, "value")
        same = self.core_shell()
        return Population(same, self.diameter_spread, self.thickness_spread) if spread else same


class PartSection(GrowthSection):
    """[[population.parts]]: one kind of crystal and its share of all particles."""

    share: Share


class PopulationSection(Section):
    """[population]: several kinds of crystals, with spread sizes; see `Population`."""

    parts: tuple[PartSection, ...]
    diameter_spread: Share = 0.0
    thickness_spread: Share = 0.0
    seed: SEED = 0

    @model_validator(mode="after")
    def _adds_up(self) -> PopulationSection:
        self.recipe()
        return self

    def recipe(self) -> Population:
        """The recipe that this section describes."""
        parts = tuple((part.share, part.core_shell()) for part in self.parts)
        return Population(parts, self.diameter_spread, self.thickness_spread)


class BoxSection(Section):
    """[box]: a periodic box of bulk crystal; see `Box`."""

    lattice: AnyLattice
    cells: tuple[int, int, int]
    composition: Text
    vacancies: Annotated[str | float | int, NUMBER] = Box.vacancies
    order: Literal["disordered", "ordered"] = "disordered"
    counts: Literal["exact", "random"] = "exact"
    seed: SEED = 0

    def recipe(self) -> Box:
        """The recipe that this section describes."""
        return Box(**self.model_dump(exclude={"seed"}))


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
    scheduler: Scheduler = "auto"
    samples: Annotated[int, Field(ge=1, le=100_000), NUMBER] = 100
    snapshots: Annotated[int, Field(ge=0, le=10_000), NUMBER] = 10
    observables: tuple[str, ...] = ()
    events: bool = False


CRYSTALS = ("particle", "population", "box")
"""The sections of which a configuration has one."""


class Grown(Section):
    """A file with one of [particle], [population] and [box], and an anneal."""

    particle: ParticleSection | None = None
    population: PopulationSection | None = None
    box: BoxSection | None = None
    anneal: AnnealSection = AnnealSection()

    @property
    def crystal(self) -> ParticleSection | PopulationSection | BoxSection:
        """The section that says how the crystal is grown."""
        section = self.particle or self.population or self.box
        assert section is not None  # `files.check` refuses such a configuration
        return section


class Config(Grown):
    """A whole configuration: a crystal and what happens to it."""

    mechanism: MechanismSection
    run: RunSection = RunSection()


class ParametersSection(Section):
    """[mechanism] of a study: parameters of all mechanisms that have them."""

    parameters: dict[str, Annotated[str | float, NUMBER]] = {}


class StudySection(Section):
    """[study]: what is asked, by which mechanisms, how often, and what is read when."""

    name: str | None = None
    question: str = ""
    mechanisms: tuple[str, ...] = ()
    replicates: Annotated[int, Field(ge=1), NUMBER] = 8
    seed: SEED = 0
    observables: tuple[str, ...] | None = None
    marks: tuple[Annotated[float, NUMBER] | str, ...] | None = None
    arrangement: Literal["factorial", "one-at-a-time"] = "factorial"
    precision: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False), NUMBER]] = {}
    max_replicates: Annotated[int, Field(ge=1), NUMBER] = 64


class StudyFile(Grown):
    """A whole study: a crystal, mechanisms, an anneal, light, and what varies.

    `mechanisms` holds mechanisms of one's own labels, each a table with the mechanism's `name` and its parameters.
    `vary` holds axes: a list of values of a key such as 'particle.thickness', or a table of named levels, each a table
    of keys and values.
    """

    study: StudySection = StudySection()
    mechanism: ParametersSection = ParametersSection()
    mechanisms: dict[str, dict[str, Annotated[str | float, NUMBER]]] = {}
    optics: dict[str, Any] = {}
    vary: dict[str, tuple[Any, ...] | dict[str, dict[str, Any]]] = {}
