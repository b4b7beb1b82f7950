"""Lines: a branch, another mechanism beside, an edited file; each is what an independent simulation is."""

from ucnp_abm import Mechanism, Model, Simulation, mechanism, registry
from ucnp_abm.rules import Env

TEXT = """
from ucnp_abm import IONS, Mechanism, hookimpl

trial = Mechanism("trial", summary="A trial.", source="Assumption: a test")


@trial.hop(mover=IONS)
def wander(env):
    return 1.65  # <img src=x onerror="alert(1)">


@trial.dock("Y", irreversible=True)
def attach(env):
    return 1.70


@hookimpl
def ucnp_mechanisms():
    return [trial]
"""
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"


def test_branch_is_another_line_and_the_old_one_stays(docking):
    simulation = docking.simulation
    docking.goto(60)
    old, other = docking.digest, simulation.branch(seed=99)
    docking.click("#tab-lines")
    docking.find("#branch-seed").fill("99")
    docking.click("#branch button")
    assert docking.text("#saying").startswith("Branched at event 60")
    assert docking.digest == other.digest()
    assert docking.find(".line").count() == 2
    for _ in range(5):
        docking.click("#step")
        other.fire()
    assert (docking.event, docking.digest) == (65, other.digest())
    held = other.state.species[other.crystal.sites]
    assert docking.codes() == held.tolist()
    simulation.goto(event=60)
    assert simulation.digest() == old  # who holds the model sees nothing of the branch

    docking.find("#branch-seed").fill("-1")
    docking.click("#branch button")
    assert "expected a whole number" in docking.text("#failure")
    docking.forgive("status of 422")
    docking.find(".line", has_text="seed 5").get_by_role("button", name="Show").click()
    docking.settle()
    assert (docking.event, docking.digest) == (60, old)
    assert docking.codes() == simulation.state.species[simulation.crystal.sites].tolist()
    assert docking.find("#failure").is_hidden()


def seen(event):
    return event.time, event.verb, event.species, event.move.site, event.move.to


def test_two_mechanisms_step_together_and_part_where_they_first_differ(opened, particle, tmp_path):
    files = tmp_path / "trial.py", tmp_path / "slow.py"
    files[0].write_text(TEXT)
    files[1].write_text(
        TEXT.replace('"trial"', '"slow-yb"').replace("return 1.65", 'return 1.9 if env.mover == "Yb" else 1.65')
    )
    with registry.beside(files):
        screen = opened(Model(particle, "trial", seed=3))
        simulation = screen.simulation
        made = [mechanism(name) for name in ("trial", "slow-yb")]
        pair = [Simulation(particle, one, simulation.protocol, seed=3) for one in made]
        parting = 0
        while parting < 2000:
            parting += 1
            a, b = (one.fire() for one in pair)
            if seen(a) != seen(b):
                break
        assert 2 < parting < 2000

        screen.click("#tab-lines")
        screen.choose("#beside-mechanism", "slow-yb")
        screen.click("#beside button")
        assert screen.find(".pane").count() == 2
        assert [box.locator("b").text_content() for box in screen.find("figcaption").all()] == ["trial", "slow-yb"]
        assert f"They part at event {parting}" in screen.text("#panel-lines")
        assert screen.codes(0) == screen.codes(1)
        screen.page.wait_for_selector(f".timeline .ends:has-text('parting at event {parting}')")
        screen.click("#to-parting")
        assert screen.event == parting
        for pane, one in enumerate(pair):
            assert f"event {parting}" in screen.find("figcaption").nth(pane).text_content()
            assert screen.codes(pane) == one.state.species[one.crystal.sites].tolist()
        screen.click("#step")
        screen.click("#back")
        screen.click("#back")
        assert screen.event == parting - 1
        assert screen.codes(0) == screen.codes(1)
        for _ in range(3):
            screen.find("#beside button", has_text="Alone again").click()
            screen.settle()
            assert screen.find(".pane").count() == 1
            screen.find(".line button", has_text="Beside").click()
            screen.settle()
        assert screen.codes(0) == screen.codes(1)


def test_edited_file_gives_other_rates_on_the_same_crystal_and_a_broken_one_none(opened, particle, tmp_path):
    file = tmp_path / "trial.py"
    file.write_text(TEXT)
    with registry.beside([file]):
        screen = opened(Model(particle, "trial", seed=3))
        simulation = screen.simulation
        screen.goto(30)
        codes, total = screen.codes(), simulation.total_rate()
        screen.click("#tab-lines")
        assert "edited" not in screen.text("#panel-lines fieldset >> nth=0")

        file.write_text(TEXT.replace("1.65", "1.60"))
        screen.click("#step")
        screen.click("#back")
        assert "edited since it was loaded" in screen.text("#panel-lines fieldset >> nth=0")
        screen.click("#reload")
        assert screen.find("#failure").is_hidden()
        assert "trial loaded again: other rates from here on" in screen.text("#saying")
        assert screen.event == 30
        assert screen.codes() == codes == simulation.state.species[simulation.crystal.sites].tolist()
        faster = simulation.total_rate()
        assert faster > 1.5 * total
        assert screen.digest == simulation.digest()
        screen.click("#panel-events tbody tr:first-child")
        screen.page.wait_for_selector("#why pre")
        assert "return 1.60" in screen.text("#why pre")
        assert "<img src=x" in screen.text("#why pre")  # a law's text is text
        assert screen.find("img, #why script").count() == 0

        for wrong, told in (
            (TEXT.replace("1.65  #", "1.65 +  #"), "trial.py"),
            (TEXT.replace("1.70", "-1.0"), "attach"),
        ):
            file.write_text(wrong)
            screen.key("r")
            assert told in screen.text("#failure")
            screen.forgive("status of 422")
            assert simulation.total_rate() == faster
            assert screen.event == 30
            screen.click("#step")
            assert screen.find("#failure").is_hidden()
            screen.click("#back")
            assert screen.codes() == codes
    assert registry.installed().origins.get("trial") is None


def test_names_and_titles_are_text_and_never_markup(opened, particle):
    hostile = Mechanism(HOSTILE, summary=HOSTILE, source=HOSTILE)

    @hostile.hop(mover=("Y", "Na", "Gd", "Yb"))
    def law(env: Env) -> float:
        return 1.65

    screen = opened(Model(particle, hostile), title=HOSTILE)
    assert HOSTILE in screen.page.title()
    assert screen.text("#title").startswith(f"{HOSTILE} · seed 0")
    screen.click("#step")
    assert screen.text("figcaption b") == HOSTILE
    screen.click("#tab-lines")
    assert screen.text(".line b") == HOSTILE
    screen.click("#tab-breakpoints")
    screen.find("#condition").fill(HOSTILE)
    screen.press("Enter")
    screen.page.wait_for_selector("#condition[aria-invalid=true]")
    screen.forgive("status of 422")
    assert screen.find("img, body script").count() == 0
    assert screen.page.evaluate("document.querySelectorAll('script').length") == 1
    assert not [url for url in screen.requests if url.endswith("/x")]
