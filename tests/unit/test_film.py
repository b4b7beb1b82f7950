"""The film of a run: what a frame shows is the state at its moment, and a file is there whole or not at all."""

import json
import shutil
import subprocess

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from ucnp_abm import Box, Particle, Simulation, mechanism, observables
from ucnp_abm.crystal.species import SPECIES, SYMBOLS, VACANCY, VOID
from ucnp_abm.errors import BadInput
from ucnp_abm.viz import film, style

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
STEPS = [0, 5, 10, 15, 20]


def begun(particle, seed=3):
    return Simulation(particle, mechanism("y-complex"), "300 °C", seed=seed)


@pytest.fixture(scope="module")
def reel(small_particle):
    return film.shoot(begun(small_particle), 20, frames=5)


@pytest.fixture(scope="module")
def picture(reel):
    return film.Picture(reel)


def probed(path):
    command = ["ffprobe", "-v", "error", "-show_streams", "-count_frames", "-of", "json", str(path)]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["streams"]


def places(offsets):
    return {tuple(xy) for xy in np.asarray(offsets).round(6).tolist()}


@pytest.mark.parametrize("number", range(5))
def test_discs_of_a_frame_are_the_occupants_of_the_slab_at_its_step(small_particle, picture, number):
    simulation = begun(small_particle)
    if number:
        simulation.run_to(steps=STEPS[number])
    crystal = simulation.crystal
    held = simulation.state.species[crystal.sites]
    xyz = crystal.points / 10
    expected = {}  # who stands in front hides those behind him
    for site in np.flatnonzero(np.abs(xyz[:, 1]) <= 0.5):
        key = tuple(xyz[site, [0, 2]].round(3).tolist())
        if key not in expected or xyz[site, 1] < xyz[expected[key], 1]:
            expected[key] = site
    sites = np.array(list(expected.values()))
    picture.show(number)
    ions = sites[held[sites] != VACANCY]
    assert places(picture.vacant.get_offsets()) == places(xyz[sites[held[sites] == VACANCY]][:, [0, 2]])
    colours = {
        tuple(xy): tuple(colour)
        for xy, colour in zip(
            picture.ions.get_offsets().round(6).tolist(), picture.ions.get_facecolors().tolist(), strict=True
        )
    }
    assert colours == {
        tuple(xyz[site, [0, 2]].round(6).tolist()): to_rgba(style.SPECIES_COLOURS[SYMBOLS[held[site]]]) for site in ions
    }


def test_counts_of_a_frame_are_the_observables_at_its_step(small_particle, reel, picture):
    simulation = begun(small_particle)
    for number, step in enumerate(STEPS):
        simulation.run_to(steps=step)
        read = observables.read(simulation, ["vacancies", "outside_core_pct", "t_s", "steps", "T_K"])
        moment = reel.moments[number]
        shown = [moment.vacancies, moment.outside, moment.time, moment.step, moment.temperature]
        assert shown == list(read.values())
        picture.show(number)
        said = [value.get_text() for value in picture.values]
        assert said == [f"{read['vacancies']:,}", f"{read['outside_core_pct']:.1f} %"]
        assert picture.caption.get_text().startswith(f"step {step}.0 of 20.0\n")
        assert picture.caption.get_text().endswith(" at 300 °C")


def test_course_grows_with_the_film_and_ends_in_its_dot(reel, picture):
    picture.show(3)
    course, _ = picture.curves
    dot, _ = picture.tips
    assert course.get_xdata().tolist() == pytest.approx([0, 5, 10, 15])
    assert course.get_ydata().tolist() == [m.vacancies for m in reel.moments[:4]]
    assert dot.get_xydata().tolist() == course.get_xydata()[-1:].tolist()


def test_frames_are_evenly_spaced_in_time_if_the_run_is(small_particle):
    found = film.shoot(begun(small_particle), 40.0, in_time=True, frames=3)
    assert [m.time for m in found.moments] == [0, 20, 40]
    assert film.Picture(found).figure.axes[-1].get_xlabel() == "time / s"


def test_a_film_changes_nothing_of_a_run(small_particle):
    filmed, plain = begun(small_particle), begun(small_particle)
    film.shoot(filmed, 20, frames=7)
    plain.run_to(steps=20)
    assert filmed.digest() == plain.digest()


def test_frames_are_the_same_pixels_in_whatever_order_they_are_drawn(reel, picture):
    forth = [bytes(picture.frame(n)) for n in range(5)]
    again = film.Picture(reel)
    back = [bytes(again.frame(n)) for n in reversed(range(5))]
    assert forth == back[::-1]
    assert len(set(forth)) == 5
    assert len(forth[0]) == 1280 * 720 * 4


def test_void_is_not_drawn(small_particle):
    found = film.shoot(begun(small_particle), 5, frames=2)
    found.moments[1].held[:] = VOID
    drawn = film.Picture(found)
    drawn.show(1)
    assert len(drawn.ions.get_offsets()) == len(drawn.vacant.get_offsets()) == 0


def _named(reel, name):
    return film.Reel(reel.crystal, name, reel.in_time, reel.sites, reel.moments)


@pytest.mark.parametrize("case", ["small", "long name", "many species", "box", "large", "long time"])
def test_no_words_overlap_or_leave_the_frame(case, reel, small_particle, paper_particle):
    if case == "long name":
        reel = _named(reel, "a-mechanism-of-many-words+laser-thermal+laser-strip+" + "m" * 70)
    elif case == "many species":
        reel = film.shoot(begun(small_particle), 4, frames=2)
        for site, species in enumerate(SPECIES.values()):
            reel.moments[0].held[site] = species.code
    elif case == "box":
        reel = film.shoot(begun(Box(lattice="beta", cells=(6, 6, 6), composition="NaYF4").build(1)), 4, frames=2)
    elif case == "large":
        reel = film.shoot(begun(paper_particle), 2, frames=2)
    elif case == "long time":
        reel = film.shoot(begun(small_particle), 123456.0, in_time=True, frames=2)
    drawn = film.Picture(reel)
    drawn.frame(len(reel.moments) - 1)
    renderer = drawn.figure.canvas.get_renderer()
    words = [*drawn.figure.texts, *drawn.figure.legends[0].get_texts()]
    for axes in filter(lambda axes: axes.axison, drawn.figure.axes):
        for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
            words += [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
        words.append(axes.xaxis.label)
    words += drawn.figure.axes[0].texts
    boxes = [(w.get_text(), w.get_window_extent(renderer)) for w in words if w.get_visible() and w.get_text()]
    boxes = [(text, box) for text, box in boxes if box.width > 0]
    assert len(boxes) > 12
    for number, (text, box) in enumerate(boxes):
        assert box.x0 >= 0, text
        assert box.y0 >= 0, text
        assert box.x1 <= 1280, text
        assert box.y1 <= 720, text
        for other, there in boxes[:number]:
            across = min(box.x1, there.x1) - max(box.x0, there.x0)
            along = min(box.y1, there.y1) - max(box.y0, there.y0)
            assert min(across, along) <= 1, f"{text!r} lies on {other!r}"
    assert all(axes.get_window_extent().height > 50 for axes in drawn.figure.axes)


@needs_ffmpeg
def test_file_is_h264_in_yuv420p_of_all_frames(reel, tmp_path):
    told = []
    film.film(reel, tmp_path / "a.mp4", fps=10, show=told.append)
    (stream,) = probed(tmp_path / "a.mp4")  # no sound
    assert (stream["codec_name"], stream["pix_fmt"], stream["color_space"]) == ("h264", "yuv420p", "bt709")
    assert (stream["width"], stream["height"], stream["avg_frame_rate"]) == (1280, 720, "10/1")
    assert int(stream["nb_read_frames"]) == 5
    assert told == [1, 2, 3, 4, 5]
    content = (tmp_path / "a.mp4").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")  # it starts before it is all there


@needs_ffmpeg
def test_pixels_of_the_file_are_those_of_the_frames(reel, picture, tmp_path):
    film.film(reel, tmp_path / "a.mp4")
    command = ["ffmpeg", "-loglevel", "error", "-i", tmp_path / "a.mp4", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    read = np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, np.uint8)
    read = read.reshape(5, 720, 1280, 3)
    for number in (0, 4):
        drawn = np.frombuffer(picture.frame(number), np.uint8).reshape(720, 1280, 4)[..., :3]
        assert np.abs(drawn.astype(int) - read[number]).mean() < 3
        for symbol in ("Na", "Y", "Gd", "Yb"):
            colour = np.round(np.array(to_rgba(style.SPECIES_COLOURS[symbol])[:3]) * 255)
            there = (drawn == colour).all(axis=2)
            assert there.sum() > 1000
            assert np.abs(np.median(read[number][there], axis=0) - colour).max() <= 3
    assert [tuple(p) for p in read[:, 2, 2].tolist()] == [(255, 255, 255)] * 5


@needs_ffmpeg
def test_nothing_is_left_of_a_film_that_is_interrupted(reel, tmp_path):
    def interrupt(number):
        if number == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        film.film(reel, tmp_path / "a.mp4", show=interrupt)
    assert list(tmp_path.iterdir()) == []


def test_without_ffmpeg_it_says_so_and_what_does_without(reel, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BadInput, match=r"an MP4 needs ffmpeg, which is not installed here; an HTML movie \(--html\)"):
        film.film(reel, tmp_path / "a.mp4")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("reads", [True, False])
def test_ffmpeg_that_fails_is_one_sentence_with_its_last_line(reel, tmp_path, monkeypatch, reads):
    out, fake = tmp_path / "out", tmp_path / "ffmpeg"
    out.mkdir()
    fake.write_text(
        "#!/bin/sh\n" + ("/bin/cat >/dev/null\n" if reads else "") + "echo first >&2\necho no such codec >&2\nexit 1\n"
    )
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BadInput, match=r"^movie: ffmpeg could not write '.*a\.mp4' \(no such codec\)$"):
        film.film(reel, out / "a.mp4")
    assert list(out.iterdir()) == []


@needs_ffmpeg
def test_error_of_a_caller_is_not_taken_for_one_of_the_file(reel, tmp_path):
    def fail(number):
        raise FileNotFoundError(2, "mine")

    with pytest.raises(FileNotFoundError, match="mine"):
        film.film(reel, tmp_path / "a.mp4", show=fail)


@pytest.mark.parametrize("frames", [1, 10_001, 2.0])
def test_number_of_frames_that_makes_no_film_is_refused(frames, small_particle):
    with pytest.raises(BadInput, match=f"^movie: frames: expected a whole number from 2 to 10000, got {frames}$"):
        film.shoot(begun(small_particle), 20, frames=frames)


@pytest.mark.parametrize("fps", [0, 61])
def test_pace_that_makes_no_film_is_refused(fps, reel, tmp_path):
    with pytest.raises(BadInput, match=f"^movie: fps: expected a whole number from 1 to 60, got {fps}$"):
        film.film(reel, tmp_path / "a.mp4", fps=fps)


@pytest.mark.parametrize("end", [0, -1, float("inf"), float("nan")])
def test_run_without_length_is_refused(small_particle, end):
    with pytest.raises(BadInput, match="expected a run of a finite length above zero"):
        film.shoot(begun(small_particle), end)


def test_simulation_that_has_begun_is_refused(small_particle):
    simulation = begun(small_particle)
    simulation.run_to(steps=1)
    with pytest.raises(BadInput, match="at its start"):
        film.shoot(simulation, 20)


def test_core_alone_has_no_course_of_what_left_it():
    alone = Particle.core_shell(core="NaGdF4: 49% Yb", diameter="2.4 nm", seed=1)
    assert len(film.Picture(film.shoot(begun(alone), 2, frames=2)).values) == 1
