"""`ucnp_abm.show`: what a model has been through, as a page in a notebook or a file of its own."""

from __future__ import annotations

import html
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.errors import BadInput, shown
from ucnp_abm.replay import page, tape

HEIGHTS = 200, 4000
"""Least and greatest height / pixels of the frame in a notebook."""


@dataclass(frozen=True)
class Movie:
    """A recorded run as one page: a notebook shows it, `save` writes it.

    Attributes
    ----------
    html : str
        The whole page. It needs no network and no Python.
    height : int
        Pixels, in a notebook.
    """

    html: str = field(repr=False)
    height: int

    def _repr_html_(self) -> str:
        content = html.escape(self.html, quote=True)
        style = f"width:100%;height:{self.height}px;border:1px solid #8884;border-radius:8px"
        return f'<iframe title="ucnp-abm movie" sandbox="allow-scripts" style="{style}" srcdoc="{content}"></iframe>'

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it into a file that opens in a browser.

        Raises
        ------
        BadInput
            If something is there already, or it cannot be written.
        """
        target = Path(path)
        try:
            with target.open("x", encoding="utf-8") as file:
                file.write(self.html)
        except FileExistsError as error:
            raise BadInput(f"movie: '{target}' exists already; give another name or remove it") from error
        except OSError as error:
            raise BadInput(f"movie: cannot write '{target}' ({error.strerror})") from error
        return target


def show(model: Any, *, height: int = 680) -> Movie:
    """Everything that a model has been through, to step through it forwards and backwards.

    In a notebook it is shown where it is the last expression of a cell. The model stays as it is.

    Parameters
    ----------
    model : Model or Simulation
        From the beginning of its known past until now.
    height : int
        Pixels, in a notebook.

    Returns
    -------
    Movie

    Raises
    ------
    BadInput
        If it is no model, or has had more events than a page holds.

    Examples
    --------
    >>> from ucnp_abm import Model, Particle, show
    >>> model = Model(Particle.core_shell(core="NaGdF4: 49% Yb", diameter="2 nm", seed=1), "y-complex")
    >>> _ = model.run(events=20)
    >>> movie = show(model)
    >>> movie.html.startswith("<!doctype html>")
    True
    """
    simulation = getattr(model, "simulation", model)
    if not isinstance(simulation, Simulation):
        raise BadInput(f"show: expected a Model or a Simulation, got {shown(model)}")
    low, high = HEIGHTS
    if isinstance(height, bool) or not isinstance(height, int) or not low <= height <= high:
        raise BadInput(f"show: height: expected {low} to {high} pixels, got {shown(height)}")
    recorded = tape.record(simulation, simulation.time)
    return Movie(page.one_file(recorded, f"{simulation.mechanism.name}, a movie of ucnp-abm"), height)
