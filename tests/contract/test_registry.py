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


def lamp(name="lamp"):
    drive = Drive(name, summary="A lamp.", source="Assumption: a test")
    drive.warm("20 K")
    return drive


def _offering(offered, name):
    def hook():
        return offered

    hook.__name__ = name
    return hook


def _yielding():
    yield lamp()


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
        (plugin(named("a"), named("a")), "offers the name 'a' twice"),
        (plugin("text"), "returned a list with 'text' in it; expected a list of Mechanism"),
        (plugin(named("my dock")), "cannot be typed: expected letters"),
        (plugin(named("y.toml")), "is a configuration"),
        (plugin(named(3)), "the name 3 cannot be typed"),
        (plugin(named("x" * 61)), "at most 60"),
        (plugin(), "offers nothing"),
        (plugin(ucnp_drives=lambda: []), "ucnp_drives is not marked, so nobody would call it"),
        (plugin(ucnp_drives=[]), "ucnp_drives is []; expected a function"),
        (plugin(ucpn_drives=hookimpl(lambda: [])), "unknown hook 'ucpn_drives'; did you mean 'ucnp_drives'"),
        (plugin(ucnp_drives=hookimpl(lambda config: [])), "takes 'config', which nobody passes"),
        (plugin(ucnp_drives=hookimpl(lambda config=None: [])), "takes 'config', which nobody passes"),
        (plugin(ucnp_drives=hookimpl(lambda *rest: [])), "takes 'rest', which nobody passes"),
        (plugin(ucnp_drives=hookimpl(wrapper=True)(lambda: [])), "marked as a wrapper"),
        (
            plugin(ucnp_drives=hookimpl(_offering(None, "ucnp_drives"))),
            "returned None; expected a list of Drive: is its",
        ),
        (plugin(ucnp_drives=hookimpl(_offering("ab", "ucnp_drives"))), "returned 'ab'; expected a list of Drive"),
        (plugin(ucnp_drives=hookimpl(_offering({}, "ucnp_drives"))), "returned {}; expected a list of Drive"),
        (plugin(ucnp_drives=hookimpl(_yielding)), "ucnp_drives is a generator"),
        (plugin(ucnp_drives=hookimpl(_offering(lamp(), "ucnp_drives"))), "put brackets around it"),
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


def test_a_plugin_may_offer_drives_only_and_they_combine_with_any_mechanism():
    def ucnp_drives():
        return [lamp()]

    module = types.ModuleType("trial")
    module.ucnp_drives = hookimpl(ucnp_drives)
    found = registry(light=module, good=plugin(named("good")))
    assert found.get("good+lamp").name == "good+lamp"
    assert found.get("lamp + good").drives[0].rise() == 20.0
    assert not found.failures


def test_a_name_is_one_whether_of_a_mechanism_or_of_a_drive():
    module = plugin(named("lamp"))
    module.ucnp_drives = hookimpl(_offering([lamp()], "ucnp_drives"))
    found = registry(both=module)
    found.load_all()
    assert "it offers the name 'lamp' twice" in str(found.failures["both"])


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


def test_a_plugin_may_import_the_package_itself():
    import ucnp_abm

    found = registry(good=plugin(named("good"), ucnp_abm=ucnp_abm))
    assert found.get("good").name == "good"


def test_a_hook_may_have_another_name_if_it_says_so():
    module = types.ModuleType("trial")
    module.offers = hookimpl(specname="ucnp_drives")(_offering([lamp()], "offers"))
    found = registry(light=module)
    assert found.find("lamp").name == "lamp"


def test_a_name_that_is_taken_says_by_which_plugin_and_file():
    found = registry(first=plugin(named("a"), __file__="/somewhere/first.py"), second=plugin(named("a")))
    found.load_all()
    assert "the name 'a' is taken by plugin 'first' (/somewhere/first.py)" in str(found.failures["second"])


def test_a_plugin_that_is_refused_leaves_nothing_behind(forget):
    @observable("trial_nm", unit="nm")
    def trial(simulation):
        """A trial."""
        return 1.0

    bad = observable("bad_nm", unit="s")(trial.read)
    module = plugin(named("a"))
    module.ucnp_observables = hookimpl(_offering([trial, bad], "ucnp_observables"))
    found = registry(bad=module)
    found.load_all()
    assert "must end with '_s'" in str(found.failures["bad"])
    assert "trial_nm" not in OBSERVABLES
    assert not found.origins


def test_a_plugin_that_ends_the_program_fails_alone():
    def leaving():
        sys.exit("no licence")

    found = registry(leaving=leaving, good=plugin(named("good")))
    found.load_all()
    assert "it ends the program (SystemExit: no licence)" in str(found.failures["leaving"])
    assert found.get("good").name == "good"


def test_ctrl_c_while_a_plugin_is_imported_is_no_failure_of_the_plugin():
    def slow():
        raise KeyboardInterrupt

    found = registry(slow=slow)
    with pytest.raises(KeyboardInterrupt):
        found.load_all()
    found.entries["slow"].load = lambda: plugin(named("slow"))
    assert found.get("slow").name == "slow"
    assert not found.failures


def test_what_a_plugin_prints_is_talk(capsys):
    registry(loud=lambda: (print("hello"), plugin(named("loud")))[1]).load_all()
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "hello\n")
