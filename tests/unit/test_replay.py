"""A tape, decoded by a few lines here, tells the run that it was made of; the page that holds it needs nothing."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import shutil
import struct
import subprocess
import zlib

import numpy as np
import pytest
from histories import CASES, boxed, grown

from ucnp_abm import Model, Particle, Simulation, mechanism, show
from ucnp_abm.errors import BadInput
from ucnp_abm.replay import page, tape
from ucnp_abm.replay.crystal import described

FAR = 1e9  # s
KINDS = {"/": "text/html", "css": "text/css", "js": "text/javascript"}
SIZES = {"u1": 1, "u2": 2, "u4": 4, "i1": 1, "f4": 4, "f8": 8}


def decoded(recorded: bytes) -> tuple[dict, dict[str, np.ndarray]]:
    content = zlib.decompress(recorded)
    (length,) = struct.unpack_from("<I", content)
    about = json.loads(content[4 : 4 + length])
    at, arrays = 4 + length, {}
    for name, kind, n in about["arrays"]:
        arrays[name] = np.frombuffer(content[at : at + n * SIZES[kind]], dtype=f"<{kind}")
        at += n * SIZES[kind]
    assert at == len(content)
    return about, arrays


class Told:
    """A tape, told from its beginning."""

    def __init__(self, recorded: bytes) -> None:
        self.about, self.arrays = decoded(recorded)
        self.codes = self.arrays["start"].copy()
        self.n = self.arrays["site"].size
        self.time = self.about["begin"]["t_s"]
        self.outside = self.about["begin"]["outside"]
        self.k = 0

    def step(self) -> dict:
        """The next event: its channel, and who moved."""
        site, to = int(self.arrays["site"][self.k]), int(self.arrays["to"][self.k])
        change = self.about["channels"][int(self.arrays["channel"][self.k])]
        if change["hop"]:
            mover = int(self.codes[to])
            self.codes[site], self.codes[to] = mover, self.codes[site]
        else:
            assert site == to
            assert self.codes[site] == change["takes"]
            self.codes[site] = change["makes"]
            mover = change["ion"]
        self.time += float(self.arrays["wait"][self.k])
        self.outside += int(self.arrays["outside"][self.k])
        self.k += 1
        return {"verb": change["verb"], "mover": mover, "site": site, "to": to}


def recorded_of(run: Simulation, **options) -> Told:
    digest = run.digest()
    made = tape.record(run, options.pop("end", run.time), **options)
    assert run.digest() == digest
    return Told(made)


def is_the_run(told: Told, run: Simulation, n: int) -> None:
    """The tape tells what a run does from where it stands; it is changed."""
    assert told.n == n
    assert told.about["begin"]["event"] == run.state.events
    assert told.about["digest"] == run.digest()
    symbols = {one["code"]: one["symbol"] for one in told.about["crystal"]["species"]}
    assert (told.codes == run.state.species[run.crystal.sites]).all()
    for k in range(n):
        event, made = run.fire(), told.step()
        assert (made["verb"], made["site"], made["to"]) == (event.verb, event.move.site, event.move.to)
        assert symbols[made["mover"]] == event.move.species
        assert told.time == pytest.approx(event.time, rel=(k + 1) * 2.0**-24, abs=0)
        if k % 10 == 0 or k == n - 1:
            assert (told.codes == run.state.species[run.crystal.sites]).all()
            state, here = run.state, run.crystal.sites
            own = (state.origin[state.slot[here]] == 0) & (told.codes != 0)
            own &= np.array([symbols.get(c, "void") not in ("vacancy", "void") for c in told.codes.tolist()])
            assert told.outside == int(np.count_nonzero(own & (run.crystal.layer != 0)))


@pytest.mark.parametrize("case", CASES)
def test_a_tape_tells_the_run(case: str) -> None:
    run = CASES[case].simulation()
    run.run(events=200)
    told = recorded_of(run)
    is_the_run(told, CASES[case].simulation(), 200)
    assert told.arrays["site"].dtype == np.uint16
    assert (told.about["core"] is None) == run.crystal.periodic


def test_waits_are_right_to_seven_digits() -> None:
    run = CASES["etch"].simulation()
    told = recorded_of(run, end=FAR, most=300)
    times = [0.0, *(run.fire().time for _ in range(300))]
    assert told.arrays["wait"] == pytest.approx(np.diff(times), rel=2.0**-24, abs=1e-300)


def test_a_tape_begins_where_the_known_past_does() -> None:
    run = CASES["y-complex"].simulation()
    run.run(events=50)
    branch = run.branch(seed=5)
    branch.run(events=60)
    told = recorded_of(branch)
    fresh = run.branch(seed=5)
    assert told.about["begin"]["t_s"] == fresh.time
    is_the_run(told, fresh, 60)


def test_a_run_that_went_back_is_told_to_where_it_stands() -> None:
    run = CASES["etch"].simulation()
    run.run(events=80)
    run.goto(event=30)
    is_the_run(recorded_of(run), CASES["etch"].simulation(), 30)


def test_a_tape_may_be_empty() -> None:
    run = CASES["y-complex"].simulation()
    told = recorded_of(run)
    is_the_run(told, run, 0)
    assert told.about["knots"] == [[0.0, 0.0]]
    assert show(run).html.startswith("<!doctype html>")


def test_a_tape_ends_at_its_time_or_where_nothing_more_can_happen() -> None:
    run = CASES["y-complex"].simulation()
    whole = recorded_of(run, end=FAR)
    run.run(events=10**6)
    assert whole.n == run.state.events
    run.goto(event=100)
    assert recorded_of(CASES["y-complex"].simulation(), end=run.time).n == 100
    assert recorded_of(CASES["y-complex"].simulation(), end=np.nextafter(run.time, 0)).n == 99


def test_only_so_many_events_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tape, "MOST_EVENTS", 100)
    monkeypatch.setattr(tape, "_PIECE", 30)
    run = CASES["etch"].simulation()
    seen = []
    assert recorded_of(run, end=FAR, most=70, show=lambda chronicle: seen.append(chronicle.last)).n == 70
    assert seen == [30, 60, 70]
    assert recorded_of(run, end=FAR, most=1000).n == 100
    with pytest.raises(BadInput, match="there are more than 100 events up to"):
        tape.record(run, FAR)
    run.goto(event=100)
    assert recorded_of(run).n == 100
    run.goto(event=101)
    with pytest.raises(BadInput, match="more than 100 events"):
        show(run)


def test_sites_beyond_65536_are_told_with_32_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    particle = Particle.box(lattice="fcc", cells=(32, 32, 17), composition="Gd: 30% Yb", vacancies=0.0001, seed=1)
    assert particle.crystal.n_sites > 65_536
    run = Simulation(particle, mechanism("no-complex"), seed=1)
    told = recorded_of(run, end=FAR, most=300)
    assert told.arrays["site"].dtype == told.arrays["to"].dtype == np.uint32
    assert told.arrays["site"].max() > 65_535
    is_the_run(told, run, 300)


@pytest.mark.parametrize("case", ["etch", "thermal pulses", "energies"])
def test_steps_pass_evenly_between_the_knots(case: str) -> None:
    run = CASES[case].simulation()
    run.run(events=300)
    knots = recorded_of(run).about["knots"]
    assert knots[0] == [0.0, 0.0]
    assert knots[-1][0] == run.time
    times, steps = zip(*knots, strict=True)
    for share in np.linspace(0, 1, 23):
        t = share * run.time
        assert np.interp(t, times, steps) == pytest.approx(run.protocol.steps(t, run.crystal.z), rel=1e-9)


# --- the crystal ---


def places(about: dict, arrays: dict[str, np.ndarray]) -> np.ndarray:
    """As crystal.js works them out."""
    basis = np.array(about["basis"])[arrays["basis_of"]]
    return (basis + arrays["cells"].reshape(-1, 3)) @ np.array(about["cell"]) - np.array(about["centre"])


@pytest.mark.parametrize("particle", [grown, boxed, lambda: boxed("beta", (3, 3, 4))])
def test_places_follow_from_cells(particle) -> None:
    run = Simulation(particle(), mechanism("no-complex"), seed=1)
    about, arrays = described(run)
    points = run.crystal.points
    middle = 0.5 * (points.min(axis=0) + points.max(axis=0)) if run.crystal.periodic else 0.0
    made = places(about, arrays)
    assert np.abs(made - (points - middle)).max() < 1e-4
    assert np.linalg.norm(made, axis=1).max() <= about["radius"] < np.linalg.norm(made, axis=1).max() + 2.1
    zones = [about["zones"][k] for k in arrays["zone"]]
    assert zones == [run.crystal.zone_of(k) for k in range(run.crystal.n_sites)]
    assert (arrays["layer"] == run.crystal.layer).all()
    _, taped = decoded(tape.record(run, 0.0))
    assert (taped["cells"].reshape(-1, 3) == arrays["cells"]).all()


# --- the page ---

_TOP = re.compile(r"^(?:export )?(?:const|let|var|function|async function|class) +([\w$]+|\[[^\]]*\]|\{[^}]*\})", re.M)


def test_modules_stand_behind_those_that_they_import() -> None:
    order, files = page.modules(), page.texts()
    assert order[-1] == page.FIRST
    assert sorted(order) == sorted(name for name in files if name.endswith(".js"))
    for k, name in enumerate(order):
        imported = re.findall(r'from "\./([\w-]+\.js)"', files[name])
        assert set(imported) <= set(order[:k]), name
        exported = set(re.findall(r"^export (?:const|class|function|async function) (\w+)", files[name], re.M))
        for other in order:
            for names in re.findall(rf'import \{{([^}}]*)\}} from "\./{name}"', files[other]):
                assert {one.strip() for one in names.split(",") if one.strip()} <= exported, (other, name)


def test_names_at_the_top_of_modules_are_unique_as_they_share_one_scope() -> None:
    names = [name for module in page.modules() for name in _TOP.findall(page.texts()[module])]
    assert len(names) > 40
    assert sorted(names) == sorted(set(names))
    assert not [name for name in names if name.startswith(("[", "{"))]


def test_the_joined_page_imports_nothing() -> None:
    joined = page.joined()
    assert not re.findall(r"^\s*(import|export)\b.*", joined, re.M)
    assert not re.findall(r"\bimport\s*\(|\bas \w+ *[,}] *from", joined)
    for module in page.modules():
        assert page.texts()[module].splitlines()[0] in joined
    assert "</script" not in joined


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_the_joined_page_can_be_read_by_a_javascript_engine(tmp_path) -> None:
    (tmp_path / "page.mjs").write_text(page.joined(), "utf-8")
    checked = subprocess.run(["node", "--check", tmp_path / "page.mjs"], capture_output=True, text=True)
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.fixture(scope="module")
def filmed() -> str:
    run = CASES["y-complex"].simulation()
    run.run(events=200)
    return page.one_file(tape.record(run, run.time), "a title")


def test_one_file_asks_no_network_for_anything(filmed: str) -> None:
    text = filmed.replace('"http://www.w3.org/2000/svg"', "")  # the name of a language, not a place
    text = re.sub(r'<script type="text/plain" id="tape">[A-Za-z0-9+/=]*</script>', "", text)
    for word in (
        "http:",
        "https:",
        "ws:",
        "wss:",
        "src=",
        "@import",
        "url(",
        "WebSocket",
        "XMLHttpRequest",
        "sendBeacon",
        "EventSource",
    ):
        assert word not in text, word
    assert not re.findall(r"""["'(=]//""", text)
    assert re.findall(r"\bfetch\(", text) == ["fetch("]  # of the live source, which a recording has none of
    assert re.findall(r'href="([^"]*)"', text) == ["data:,"]


def test_the_policy_of_one_file_lets_its_own_script_run_and_nothing_else(filmed: str) -> None:
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', filmed)
    rules = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    (script,) = re.findall(r'<script type="module">(.*?)</script>', filmed, re.S)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert rules == {
        "default-src": "'none'",
        "script-src": f"'sha256-{digest}'",
        "style-src": "'unsafe-inline'",
        "img-src": "data:",
    }
    assert filmed.index("Content-Security-Policy") < filmed.index("<title>")
    assert not re.findall(r"<[^>]* on\w+=", filmed.split("<script")[0])


def test_one_file_holds_its_tape_and_is_small(filmed: str) -> None:
    (text,) = re.findall(r'<script type="text/plain" id="tape">([A-Za-z0-9+/=]*)</script>', filmed)
    is_the_run(Told(base64.b64decode(text)), CASES["y-complex"].simulation(), 200)
    assert len(filmed.encode()) < 200_000


@pytest.mark.parametrize(
    "title", ["</title><script>alert(1)</script>", "a & b", "\"quoted\" and 'quoted'", "</body>", "Grüße", "\\1 \\g<0>"]
)
def test_titles_are_text(title: str) -> None:
    made = page.one_file(b"", title)
    (inside,) = re.findall(r"<title>(.*?)</title>", made)
    assert not set(inside) & set("<>\"'")
    assert html.unescape(inside) == title
    assert made.count("<script") == 2


def test_the_pages_of_a_server_are_the_files(filmed: str) -> None:
    served = page.served()
    assert {"/", "/app.js", "/style.css"} <= set(served)
    assert "/index.html" not in served
    for path, (content, kind) in served.items():
        assert kind == f"{KINDS[path.rpartition('.')[2]]}; charset=utf-8"
        assert content.decode()


def test_a_movie_in_a_notebook_is_text_in_a_frame(tmp_path) -> None:
    model = Model(grown(), "y-complex", seed=3)
    model.run(events=20)
    digest = model.digest()
    movie = show(model, height=300)
    assert model.digest() == digest
    frame = movie._repr_html_()
    assert frame.count("<") == frame.count(">") == 2
    assert html.unescape(re.findall(r'srcdoc="([^"]*)"', frame)[0]) == movie.html
    assert 'sandbox="allow-scripts"' in frame
    assert "height:300px" in frame
    assert movie.save(tmp_path / "a.html").read_text("utf-8") == movie.html
    with pytest.raises(BadInput, match="exists already"):
        movie.save(tmp_path / "a.html")
    with pytest.raises(BadInput, match="cannot write"):
        movie.save(tmp_path / "no" / "a.html")
    for height in (True, 10, 10**6, "300", 300.0):
        with pytest.raises(BadInput, match="height: expected 200 to 4000 pixels"):
            show(model, height=height)
    with pytest.raises(BadInput, match="expected a Model or a Simulation"):
        show(grown())
