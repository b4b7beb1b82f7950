"""The page without a browser: it holds what the answers told it, as app.js does, and nothing else."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np

from ucnp_abm.server.session import Session


class Screen:
    """One page at a session. After every answer its occupants are compared with the engine's."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.seats: list[np.ndarray] = []
        self.n_pauses = 0
        self.opened = self.ask("open")

    def ask(self, command: str, **given: Any) -> dict[str, Any]:
        """The answer to a command, when it is done."""
        answer = self.once(command, given)
        while "go_on" in answer:
            self.n_pauses += 1
            answer = self.once(*answer["go_on"])
        return answer

    def once(self, command: str, given: dict[str, Any]) -> dict[str, Any]:
        """One request and its answer, through JSON."""
        answer = json.loads(json.dumps(self.session.answer(command, given), allow_nan=False))
        if "panes" in answer:
            self._take(answer["panes"])
        return answer

    def _take(self, panes: list[dict[str, Any]]) -> None:
        n = self.session.line.simulation.crystal.n_sites
        del self.seats[len(panes) :]
        while len(self.seats) < len(panes):
            self.seats.append(np.full(n, 99, dtype=np.uint8))
        for seat, pane, line in zip(self.seats, panes, self.session.lines.shown, strict=True):
            if "all" in pane["changed"]:
                seat[:] = np.frombuffer(base64.b64decode(pane["changed"]["all"]), dtype=np.uint8)
            else:
                seat[pane["changed"]["sites"]] = pane["changed"]["codes"]
            simulation = line.simulation
            assert (seat == simulation.state.species[simulation.crystal.sites]).all()
            assert pane["digest"] == simulation.digest()
            assert (pane["event"], pane["time"]) == (simulation.state.events, simulation.time)
            assert pane["vacancies"] == int((seat == 0).sum())
            assert {code: k for code, k in pane["counts"] if k} == dict(
                zip(*(x.tolist() for x in np.unique(seat, return_counts=True)), strict=True)
            )
