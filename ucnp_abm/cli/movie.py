"""`ucnp-abm movie`: a run as a film."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ucnp_abm.cli.options import plugin_options, resolver
from ucnp_abm.cli.progress import counted, progress
from ucnp_abm.errors import BadInput, DamagedData
from ucnp_abm.runs import disk, stopping
from ucnp_abm.runs.rundir import RunDirectory
from ucnp_abm.viz import mp4

Heed = Callable[[], None]
"""To be called often: it raises if a signal came."""


@click.command()
@click.argument("run", metavar="RUN", type=click.Path(path_type=Path))
@click.option("--html", "as_html", is_flag=True, help="One HTML file that steps both ways; the default.")
@click.option("--mp4", "as_mp4", is_flag=True, help="A film that browsers and PowerPoint play; needs ffmpeg.")
@click.option("--out", type=click.Path(path_type=Path), help="File [default: the name of RUN and .html or .mp4].")
@click.option("--frames", type=click.IntRange(*mp4.FRAMES), help="Of an MP4, first and last included [default: 251].")
@click.option("--fps", type=click.IntRange(*mp4.FPS), help="Frames per second of an MP4 [default: 25].")
@click.option("--events", type=click.IntRange(min=1), help="Of an HTML movie: only so many events.")
@plugin_options
def movie(
    run: Path, as_html: bool, as_mp4: bool, out: Path | None, frames: int | None, fps: int | None, events: int | None
) -> None:
    """Run the run directory RUN again, from its start to the end of its plan, and make a movie of it.

    RUN need not be finished. The HTML file holds every event: it steps, plays and scrubs both ways in any browser,
    without Python and without a network. The MP4 is a 1-nm slab through the middle, what is counted, and its course. A
    run with --plugin FILE needs the file again.
    """
    if as_html and as_mp4:
        raise click.UsageError("--html and --mp4: one movie at a time")
    lengths = {name: value for name, value in {"frames": frames, "fps": fps}.items() if value is not None}
    if lengths and not as_mp4:
        raise click.UsageError(f"--{next(iter(lengths))}: only an MP4 has frames; add --mp4 or leave it out")
    if events is not None and as_mp4:
        raise click.UsageError("--events: an MP4 shows the whole run; leave it out")
    found = RunDirectory.open(Path(os.path.abspath(run)))
    target = out or found.path.with_name(f"{found.path.name}.{'mp4' if as_mp4 else 'html'}")
    if target.exists():
        raise BadInput(f"movie: '{target}' exists already; give another --out or remove it")
    if not target.absolute().parent.is_dir():
        raise BadInput(f"movie: cannot write '{target}': there is no directory '{target.parent}'")
    found.trust(lambda name: False)  # a movie is made of run.json alone
    with stopping.heeded() as came:

        def heed() -> None:
            if came():
                raise click.Abort

        told = _mp4(found, target, heed, **lengths) if as_mp4 else _html(found, target, heed, events)
    click.echo(f"wrote {target}: {told}")


def _html(run: RunDirectory, target: Path, heed: Heed, events: int | None) -> str:
    """Write the movie as one HTML file; returns what it is."""
    from ucnp_abm.replay import page, tape

    simulation, plan = run.simulation(resolver(run)), run.plan
    end = plan.end if plan.in_time else simulation.protocol.time(plan.end, simulation.crystal.z)
    n = 0

    def show(chronicle: Any) -> None:
        nonlocal n
        n = chronicle.last
        heed()

    recorded = tape.record(simulation, end, show, events)
    content = page.one_file(recorded, f"{run.path.name}: {simulation.mechanism.name}").encode()
    disk.put(target, content)
    return f"{n} events, {len(content) / 1000:.0f} kB; open it in a browser"


def _mp4(run: RunDirectory, target: Path, heed: Heed, **lengths: int) -> str:
    """Write the movie as MP4; returns what it is."""
    mp4.ffmpeg()
    from ucnp_abm.viz import film  # matplotlib

    simulation, plan = run.simulation(resolver(run)), run.plan
    frames, fps = lengths.get("frames", film.DEFAULT_FRAMES), lengths.get("fps", film.DEFAULT_FPS)
    with progress(plan, 0.0) as show:

        def shown(now: Any) -> None:
            show(now)
            heed()

        reel = film.shoot(simulation, plan.end, in_time=plan.in_time, frames=frames, show=shown)
    done = run.done
    if done is not None and simulation.digest() != done["digest"]:
        raise DamagedData(f"movie: '{run.path}' ended in another state than it does when it is run again")
    with counted(frames, "frames") as drawn:

        def told(number: int) -> None:
            drawn(number)
            heed()

        film.film(reel, target, fps=fps, show=told)
    width, height = film.SIZE
    return f"{frames} frames in {frames / fps:.3g} s, {width} x {height} pixels"
