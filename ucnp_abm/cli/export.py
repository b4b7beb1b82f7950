"""`ucnp-abm export`: a run directory for other programs."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ucnp_abm.crystal.particle import recipe_from
from ucnp_abm.errors import BadInput
from ucnp_abm.viz.extxyz import frames_in, write_extxyz


@click.command()
@click.argument("run", metavar="RUN", type=click.Path(path_type=Path))
@click.option("--to", "kind", type=click.Choice(["extxyz"]), default="extxyz", show_default=True, help="Format.")
@click.option("--out", type=click.Path(path_type=Path), help="File [default: the name of RUN with the suffix .xyz].")
def export(run: Path, kind: str, out: Path | None) -> None:
    """Write the snapshots of a run directory as extended XYZ, which ASE and OVITO read, with our colours and radii."""
    run = run.absolute()
    try:
        about = json.loads((run / "run.json").read_text(encoding="utf-8"))["particle"]
        seed = int(about["seed"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"export: '{run}' is no run directory ({type(error).__name__}: {error})") from error
    target = out or run.with_suffix(".xyz")
    if target.exists():
        raise BadInput(f"export: '{target}' exists already; give another --out or remove it")
    crystal = recipe_from(about).build(seed).crystal
    frames = frames_in(run, crystal)
    write_extxyz(target, crystal, frames)
    click.echo(f"wrote {target}: {len(frames)} frames of {crystal.n_sites} sites")
