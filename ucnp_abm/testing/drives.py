"""What every drive keeps: all that its mechanism keeps, under light, and some facts of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from ucnp_abm import registry
from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.errors import BadInput
from ucnp_abm.rules.drive import Drive
from ucnp_abm.rules.mechanism import Mechanism
from ucnp_abm.testing.contract import MechanismContract, as_fixture
from ucnp_abm.testing.facts import are_the_same, told


class DriveContract(MechanismContract):
    """What every drive keeps; a subclass whose name begins with 'Test' asks it of one.

    Attributes
    ----------
    drive : Drive or str
        Or a pytest fixture.
    mechanism : Mechanism or str
        What it acts on, without the drive; or a pytest fixture.
    parameters : mapping
        Of the mechanism and the drive together.
    """

    drive: ClassVar[Any] = None
    mechanism: ClassVar[Any] = "y-complex"

    def __init_subclass__(cls, **words: Any) -> None:
        super().__init_subclass__(**words)
        cls.lamp = as_fixture(cls.drive, lambda self, drive: drive)  # type: ignore[attr-defined]

    @pytest.fixture
    def kind(self, offered: Any, lamp: Any) -> Mechanism:
        found = registry.installed().find(lamp) if isinstance(lamp, str) else lamp
        if not isinstance(found, Drive):
            raise BadInput(f"{type(self).__name__}: say which drive: drive = my_lamp, or a name; got {lamp!r}")
        return registry.mechanism(offered).driven_by(found).with_parameters(**self.parameters)

    def test_its_course_is_told_in_order_and_between_nothing_and_full(self, kind: Mechanism) -> None:
        course = kind.drives[-1].profile()
        times = [time for time, _ in course]
        assert times == sorted(set(times)), f"the times / s of its course do not rise: {times}"
        assert all(0 <= level <= 1 for _, level in course), f"a level lies out of 0 to 1: {course}"

    def test_it_does_something_when_it_is_on(self, again: Callable[..., Simulation], kind: Mechanism) -> None:
        on, off = (again(mechanism=_from(kind, begin)).total_rate() for begin in (0.0, 1e9))
        assert on != off, f"{kind.name}: all rates together are {on} /s, at full level as without the drive"

    def test_before_it_is_switched_on_nothing_is_different(
        self, again: Callable[..., Simulation], kind: Mechanism, offered: Any
    ) -> None:
        own = {name: value for name, value in kind.set_by_hand.items() if name in kind.parameters}
        bare, dark = again(mechanism=registry.mechanism(offered, **own)), again(mechanism=_from(kind, 1e9))
        bare.run(events=60, time=1e9)
        dark.run(events=60, time=1e9)
        seen = ("time", "number of events", "number of candidates", "occupants of the sites")
        before, after = told(bare), told(dark)
        are_the_same(
            {name: before[name] for name in seen},
            {name: after[name] for name in seen},
            f"{kind.name}: the drive acts before it is switched on",
        )


def _from(kind: Mechanism, begin: float) -> Mechanism:
    """The same mechanism, its last drive at full level from a time / s on."""
    name = kind.drives[-1].name
    course: dict[str, str | float] = {f"{name}.shape": "constant", f"{name}.begin": begin}
    return kind.with_parameters(**course)
