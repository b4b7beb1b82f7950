import sys
import types

import pytest

from ucnp_abm import Drive, Mechanism, hookimpl, observable
from ucnp_abm.errors import BadInput, BadPlugin
from ucnp_abm.observables import OBSERVABLES
from ucnp_abm.registry import Registry


class Entry:
    """Stands for an installed entry point."""

    def __init__(self, name, load):
        self.name, self.value, self.load = name, f"{name}_module", load


def plugin(*mechanisms, **extra):
    module = types.ModuleType("trial")

    @hookimpl
    def ucnp_mechanisms():
        return list(mechanisms)

    module.ucnp_mechanisms = ucnp_mechanisms
    vars(module).update(extra)
    return module


def named(name):
    m = Mechanism(name, summary="A trial.", source="Assumption: a test")
    m.hop(mover="Y")(lambda env: 1.0)
    return m


def raising():
    raise RuntimeError("no such library")


def registry(**plugins):
    return Registry({n: Entry(n, p if callable(p) else (lambda p=p: p)) for n, p in plugins.items()})


def test_only_the_plugin_that_is_asked_for_is_loaded():
    loaded = []
    found = registry(
        first=lambda: (loaded.append("first"), plugin(named("first")))[1],
        second=lambda: (loaded.append("second"), plugin(named("second")))[1],
    )
    assert found.get("first").name == "first"
    assert loaded == ["first"]


def test_a_mechanism_with_another_name_than_its_plugin_is_found():
    assert registry(bundle=plugin(named("one"), named("two"))).get("two").name == "two"


def test_a_broken_plugin_fails_alone_and_by_name():
    found = registry(broken=raising, good=plugin(named("good")))
    found.load_all()
    assert found.get("good").name == "good"
    assert "RuntimeError: no such library" in str(found.failures["broken"])
    assert "line" in found.failures["broken"].where
    with pytest.raises(BadPlugin, match="plugin 'broken' failed"):
        found.get("broken")


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (plugin(named("a"), ucnp_mechanism=hookimpl(lambda: [])), "did you mean 'ucnp_mechanisms'"),
        (plugin(named("a"), named("a")), "taken"),
        (plugin("text"), "expected a list of Mechanism"),
        (plugin(), "offers nothing"),
        (types.ModuleType("empty"), "offers nothing"),
    ],
)
def test_a_wrong_plugin_says_what_is_wrong(bad, says):
    found = registry(bad=bad)
    found.load_all()
    assert says in str(found.failures["bad"])


def test_unknown_mechanism_names_the_nearest():
    with pytest.raises(BadInput, match="did you mean 'first'"):
        registry(first=plugin(named("first"))).get("frist")


def test_core_imports_and_runs_without_any_plugin(monkeypatch, small_particle):
    from ucnp_abm import Simulation

    for module in [m for m in sys.modules if m.startswith("ucnp_abm_mechanisms")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "ucnp_abm_mechanisms", None)
    mechanism = named("bare")
    simulation = Simulation(small_particle, mechanism, seed=1)
    assert simulation.run(events=50) == "count reached"
    assert not any(m.startswith("ucnp_abm_mechanisms.") for m in sys.modules)


def lamp(name="lamp"):
    drive = Drive(name, summary="A lamp.", source="Assumption: a test")
    drive.warm("20 K")
    return drive


def test_a_plugin_may_offer_drives_only_and_they_combine_with_any_mechanism():
    def ucnp_drives():
        return [lamp()]

    module = types.ModuleType("trial")
    module.ucnp_drives = hookimpl(ucnp_drives)
    found = registry(light=module, good=plugin(named("good")))
    assert found.get("good+lamp").name == "good+lamp"
    assert found.get("lamp + good").drives[0].rise() == 20.0
    assert not found.failures


def test_a_name_is_taken_whether_by_a_mechanism_or_a_drive():
    module = plugin(named("lamp"))
    module.ucnp_drives = hookimpl(_offering([lamp()], "ucnp_drives"))
    found = registry(both=module)
    found.load_all()
    assert "the name 'lamp' is taken" in str(found.failures["both"])


def test_a_name_with_a_plus_cannot_be_typed():
    found = registry(bad=plugin(named("a+b")))
    found.load_all()
    assert "leave out '+'" in str(found.failures["bad"])


@pytest.fixture
def forget():
    before = dict(OBSERVABLES)
    yield
    OBSERVABLES.clear()
    OBSERVABLES.update(before)


def test_a_plugin_registers_observables(forget):
    @observable("trial_nm", unit="nm")
    def trial(simulation):
        """A trial."""
        return 1.0

    module = types.ModuleType("trial")
    module.ucnp_observables = hookimpl(_offering([trial], "ucnp_observables"))
    found = registry(seen=module)
    found.load_all()
    assert OBSERVABLES["trial_nm"] is trial
    again = registry(seen=module)
    again.load_all()
    assert "the name is taken" in str(again.failures["seen"])


def _offering(offered, name):
    def hook():
        return offered

    hook.__name__ = name
    return hook
