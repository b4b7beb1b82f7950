import sys
import types

import pytest

from ucnp_abm import Mechanism, hookimpl
from ucnp_abm.errors import BadInput, BadPlugin
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
        (plugin(), "offers no mechanisms"),
        (types.ModuleType("empty"), "offers no mechanisms"),
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
