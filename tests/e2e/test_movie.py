"""`ucnp-abm movie`: a run directory in, a film out, and how it refuses."""

import json
import os
import shutil
import signal
import subprocess

import pytest
from commands import told

from ucnp_abm.viz import film

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")


@needs_ffmpeg
def test_film_stands_beside_its_run(run, capsys):
    code, out, err = told("movie", run, "--mp4", "--frames", 5, "--fps", 10, capsys=capsys)
    target = run.with_name("small.mp4")
    assert (code, out, err) == (0, f"wrote {target}: 5 frames in 0.5 s, 1280 x 720 pixels\n", "")
    command = ["ffprobe", "-v", "error", "-show_streams", "-count_frames", "-of", "json", target]
    (stream,) = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["streams"]
    assert (stream["codec_name"], stream["pix_fmt"], stream["nb_read_frames"]) == ("h264", "yuv420p", "5")
    code, _, err = told("movie", run, "--mp4", capsys=capsys)
    assert (code, err) == (2, f"ucnp-abm: movie: '{target}' exists already; give another --out or remove it\n")


@needs_ffmpeg
def test_unfinished_run_is_filmed_to_the_end_of_its_plan(run, tmp_path, monkeypatch):
    for file in run.iterdir():
        if file.name != "run.json":
            shutil.rmtree(file) if file.is_dir() else file.unlink()
    seen = []
    shoot = film.shoot
    monkeypatch.setattr(film, "shoot", lambda *given, **options: seen.append(shoot(*given, **options)) or seen[0])
    assert told("movie", run, "--mp4", "--frames", 2, "--out", tmp_path / "x.mp4")[0] == 0
    assert [moment.step for moment in seen[0].moments] == pytest.approx([0, 20])
    assert (tmp_path / "x.mp4").stat().st_size > 1000


@needs_ffmpeg
def test_run_that_ended_otherwise_is_damaged(run, capsys):
    done = json.loads((run / "done.json").read_text())
    (run / "done.json").write_text(json.dumps({**done, "digest": "0" * 64}))
    code, _, err = told("movie", run, "--mp4", "--frames", 2, capsys=capsys)
    assert code == 4
    assert err == f"ucnp-abm: movie: '{run}' ended in another state than it does when it is run again\n"
    assert not run.with_name("small.mp4").exists()


@needs_ffmpeg
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_signal_leaves_nothing_behind(run, capsys, monkeypatch, name):
    frame = film.Picture.frame

    def interrupted(picture, number):
        if number == 2:
            os.kill(os.getpid(), getattr(signal, name))
        return frame(picture, number)

    monkeypatch.setattr(film.Picture, "frame", interrupted)
    code, out, err = told("movie", run, "--mp4", "--frames", 5, capsys=capsys)
    assert (code, out, err) == (130, "", "ucnp-abm: interrupted; nothing was written\n")
    assert [file.name for file in run.parent.iterdir()] == ["small"]


def test_changed_run_is_damaged(run, capsys):
    (run / "run.json").write_text((run / "run.json").read_text() + " ")
    code, _, err = told("movie", run, "--mp4", capsys=capsys)
    assert code == 4
    assert "was changed after the run had begun" in err


def test_no_ffmpeg_is_said_before_anything_runs(run, capsys, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(film, "shoot", None)
    code, _, err = told("movie", run, "--mp4", capsys=capsys)
    assert code == 2
    assert err.count("\n") == 1
    assert "an MP4 needs ffmpeg" in err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--mp4", "--frames", 1], "Invalid value for '--frames': 1 is not in the range 2<=x<=10000."),
        (["--mp4", "--frames", 10_001], "Invalid value for '--frames': 10001 is not in the range 2<=x<=10000."),
        (["--mp4", "--fps", 0], "Invalid value for '--fps': 0 is not in the range 1<=x<=60."),
        (["--mp4", "--fps", 1000], "Invalid value for '--fps': 1000 is not in the range 1<=x<=60."),
        (["--mp4", "--html"], "--html and --mp4: one movie at a time"),
        (["--frames", 5], "--frames: only an MP4 has frames; add --mp4 or leave it out"),
        (["--html", "--fps", 5], "--fps: only an MP4 has frames; add --mp4 or leave it out"),
        (["--mp4", "--out", "no/x.mp4"], "movie: cannot write 'no/x.mp4': there is no directory 'no'"),
    ],
)
def test_options_that_make_no_movie_are_refused_in_a_sentence(run, capsys, options, says):
    assert told("movie", run, *options, capsys=capsys) == (2, "", f"ucnp-abm: {says}\n")
