"""Latency and size of the debugger's page and of a movie, in a real browser on software GL.

python tests/bench/debugger.py
"""

from __future__ import annotations

import shutil
import statistics
import time
from typing import Any

from playwright.sync_api import sync_playwright

from ucnp_abm import Particle, Simulation, mechanism
from ucnp_abm.replay import page, tape
from ucnp_abm.server.conditions import Condition
from ucnp_abm.server.debug import debug
from ucnp_abm.server.search import Breakpoint
from ucnp_abm.server.session import Session

ARGUMENTS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
SIZES = {"12k": ("7.4 nm", "1.8 nm"), "100k": ("15 nm", "3.6 nm")}
STEPS = 60
# From the press of a key to the frame in which its event is drawn.
PRESS = """(key) => new Promise((done) => {
  const begun = performance.now(), pane = ucnp.panes[0], before = ucnp.answer.panes[0].event;
  pane.on.drawn = () => {
    if (ucnp.answer.panes[0].event === before) return;
    pane.on.drawn = null;
    done([performance.now() - begun, ucnp.source.took.bytes]);
  };
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
})"""


def simulation(size: str, name: str) -> Simulation:
    """A core-shell particle of about so many sites."""
    diameter, thickness = SIZES[size]
    recipe: dict[str, Any] = {"core": "NaGdF4: 49% Yb, 1% Tm", "diameter": diameter, "shell": "NaYF4"}
    return Simulation(Particle.core_shell(**recipe, thickness=thickness, seed=1), mechanism(name), "300 °C", seed=7)


def pressed(tab: Any, key: str) -> tuple[float, float]:
    """Median milliseconds from key to frame, and kB of the answer."""
    told = [tab.evaluate(PRESS, key) for _ in range(STEPS)]
    return statistics.median(ms for ms, _ in told), statistics.median(kb for _, kb in told) / 1000


def searched(text: str) -> float:
    """Events a second that are passed on the way to a breakpoint that never comes; the crystal follows."""
    session = Session(simulation("12k", "no-complex"))
    session.stops.breakpoints.append(Breakpoint(1, Condition(text)))
    begun, told = time.perf_counter(), session.answer("step", {"n": 10**9})
    while time.perf_counter() - begun < 5:
        told = session.answer(*told["go_on"])
    return session.line.simulation.state.events / (time.perf_counter() - begun)


def main() -> None:
    """Print one row for each size."""
    browser_path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    print("sites    mechanism   view   first paint   step           step back      goto     answers")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=ARGUMENTS)
        for size, name in (("12k", "y-complex"), ("12k", "no-complex"), ("100k", "no-complex")):
            with debug(simulation(size, name), browser=False, wait=False) as serving:
                tab = browser.new_page(viewport={"width": 1440, "height": 900})
                begun = time.perf_counter()
                tab.goto(serving.link)
                tab.wait_for_selector("body[data-ready=yes]", timeout=60_000)
                tab.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
                paint = time.perf_counter() - begun
                tab.evaluate("() => ucnp.ask('step', { n: 2000 })")
                for view, axis in (("slab", "1"), ("whole", "")):
                    tab.select_option("#axis", axis)
                    tab.evaluate(PRESS, "ArrowRight")
                    on, kb = pressed(tab, "ArrowRight")
                    back, kb_back = pressed(tab, "ArrowLeft")
                    far = tab.evaluate(
                        "async () => { const t = performance.now(); await ucnp.ask('goto', { event: 500 });"
                        " await ucnp.ask('goto', { event: 2000 }); return (performance.now() - t) / 2; }"
                    )
                    n = tab.evaluate("() => ucnp.crystal.n")
                    print(
                        f"{n:<8} {name:<11} {view:<6} {paint:6.2f} s     {on:5.1f} ms       {back:5.1f} ms"
                        f"       {far:5.0f} ms {max(kb, kb_back):5.1f} kB"
                    )
                tab.close()
        browser.close()
    for text in ("event.species == 'Yb' and site.zone == 'nowhere'", "vacancies < 3", "event.probability > 2"):
        print(f"searched for {text}: {searched(text):,.0f} events a second")
    one = simulation("12k", "y-complex")
    one.run(events=20_000)
    begun = time.perf_counter()
    content = page.one_file(tape.record(one, one.time), "bench").encode()
    seconds = time.perf_counter() - begun
    print(f"movie: {one.crystal.n_sites} sites, 20000 events, {len(content) / 1000:.0f} kB, made in {seconds:.2f} s")


if __name__ == "__main__":
    main()
