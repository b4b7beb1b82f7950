"""The page in a real browser: headless Chromium, driven by Playwright, which never brings one of its own."""

import base64
import hashlib
import io
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from ucnp_abm import Model, Particle, debug, mechanism

HOW = "(pip install -e '.[browser]', and chromium from the system)"
ARGUMENTS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
WIDE = {"width": 1300, "height": 800}
SETTLED = """async () => {
  for (let seen = null; seen !== ucnp.turn || ucnp.scrubbing;) { seen = ucnp.turn; await seen; await ucnp.scrubbing; }
}"""
COLOURED = """async (kind) => {
  while (ucnp.panes.some((pane) => pane.tones.kind !== kind)) await new Promise((done) => setTimeout(done, 5));
}"""
DRAWN = """() => new Promise((done) => {
  const pane = ucnp.panes[0];
  pane.on.drawn = () => { pane.on.drawn = undefined; done(pane.canvas.toDataURL()); };
  pane.draw();
})"""


@pytest.fixture(scope="session")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason=f"needs Playwright {HOW}")
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip(f"needs a Chromium {HOW}")
    with sync_api.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def particle():
    return Particle.core_shell(core="NaGdF4: 49% Yb", diameter="3.2 nm", shell="NaYF4", thickness="0.8 nm", seed=1)


@pytest.fixture(scope="session")
def docks(particle):
    """Makes models whose first docking is not their first event."""
    return lambda: Model(particle, mechanism("y-complex", dock_barrier="1.7 eV"), seed=5)


class Screen:
    """A page of the debugger or a movie, and all that went wrong in it."""

    def __init__(self, browser, model=None, serving=None, **options):
        self.context = browser.new_context(**{"viewport": WIDE, **options})
        self.context.set_default_timeout(20_000)
        self.model, self.serving, self.errors, self.requests = model, serving, [], []
        self.context.on("request", lambda request: self.requests.append(request.url))
        self.page = self.context.new_page()
        self.watch(self.page)
        self.find, self.press = self.page.locator, self.page.keyboard.press

    def watch(self, page):
        page.on("console", lambda said: self.errors.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.errors.append(f"not caught: {error}"))
        page.on("dialog", lambda dialog: (self.errors.append(f"dialog: {dialog.message}"), dialog.dismiss()))

    def open(self, link=None):
        self.page.goto(link or self.serving.link)
        self.ready()
        return self

    def ready(self):
        self.page.wait_for_selector("body[data-ready=yes]")
        if not self.find("body.broken").count():
            self.settle()

    def settle(self):
        """Wait until every command that was asked for is done and shown."""
        self.page.evaluate(SETTLED)

    def click(self, css):
        self.page.click(css)
        self.settle()

    def key(self, *names):
        for name in names:
            self.press(name)
        self.settle()

    def text(self, css):
        return self.find(css).text_content()

    def number(self, css):
        """Of a fact or a count, whose thousands are parted by narrow spaces."""
        return int(re.sub(r"\s", "", self.text(css)))

    @property
    def event(self):
        return self.number("#fact-event dd")

    @property
    def digest(self):
        return self.find("#digest").get_attribute("data-digest")

    @property
    def simulation(self):
        return self.model.simulation

    def goto(self, event):
        self.page.evaluate("(event) => ucnp.ask('goto', { event })", event)
        self.settle()

    def codes(self, pane=0, inside=None):
        return (inside or self.page).evaluate(f"() => [...ucnp.panes[{pane}].codes]")

    def pixels(self):
        """What the crystal's canvas shows, as a hash."""
        return hashlib.sha256(self.page.evaluate(DRAWN).encode()).hexdigest()

    def image(self):
        """What the crystal's canvas shows: (height, width, 3) bytes."""
        content = base64.b64decode(self.page.evaluate(DRAWN).partition(",")[2])
        return np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)

    def choose(self, css, value):
        self.page.select_option(css, value)
        if css == "#colour":
            self.page.evaluate(COLOURED, value)
        self.settle()

    def at(self, site, pane=0):
        """The pixel of a site in its canvas."""
        x, y, _ = self.page.evaluate(
            """([site, pane]) => {
              const { canvas } = ucnp.panes[pane];
              const place = [0, 1, 2].map((k) => ucnp.crystal.places[3 * site + k]);
              return ucnp.camera.project(place, canvas.clientWidth, canvas.clientHeight);
            }""",
            [site, pane],
        )
        return {"x": x, "y": y}

    def in_front(self):
        """Sites that can be seen at their own middle."""
        self.pixels()
        return self.page.evaluate(
            """() => {
              const pane = ucnp.panes[0], { canvas, crystal } = pane, { places } = crystal, seen = [];
              for (let k = 0; k < crystal.n; k++) {
                const place = [places[3 * k], places[3 * k + 1], places[3 * k + 2]];
                const [x, y] = ucnp.camera.project(place, canvas.clientWidth, canvas.clientHeight);
                const free = x > 260 && pane.siteAt(Math.round(x), Math.round(y)) === k;
                if (free) seen.push(k);
              }
              return seen;
            }"""
        )

    def forgive(self, pattern):
        """An error that had to come, and is told in the console by the browser itself."""
        assert self.errors, pattern
        assert all(re.search(pattern, error) for error in self.errors), self.errors
        self.errors.clear()

    def close(self):
        self.page.wait_for_timeout(50)
        self.context.close()
        assert not self.errors


@pytest.fixture
def opened(browser, request):
    """Opens the debugger for a model; all is closed at the end, and whatever failed in the page is told."""
    rooms = []

    def opens(model, *, go=True, link=None, **options):
        given = {name: options.pop(name) for name in ("title", "breakpoints", "beside") if name in options}
        serving = None if model is None else debug(model, browser=False, wait=False, **given)
        screen = Screen(browser, model, serving, **options)
        rooms.append(screen)
        return screen.open(link) if go else screen

    yield opens
    try:
        for screen in rooms:
            screen.close()
    finally:
        for screen in rooms:
            if screen.serving is not None:
                screen.serving.close()


@pytest.fixture(scope="module")
def _docking(browser, docks):
    model = docks()
    with debug(model, browser=False, wait=False) as serving:
        screen = Screen(browser, model, serving).open()
        yield screen
        screen.close()


@pytest.fixture
def docking(_docking):
    """A page that the tests of a file share, with y-complex, at the start and as it was opened."""
    _docking.page.evaluate("ucnp.ask('select', { site: null })")
    _docking.goto(0)
    yield _docking
    seen = list(_docking.errors)
    _docking.errors.clear()
    assert not seen


@pytest.fixture
def wandering(opened, particle):
    """A page with no-complex."""
    return opened(Model(particle, "no-complex", seed=2))
