"""The report in a study's own directory: written again when there is something new to show, in one go."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from ucnp_abm import __version__
from ucnp_abm.errors import Stopped
from ucnp_abm.runs import disk
from ucnp_abm.study.report import summary

if TYPE_CHECKING:
    from ucnp_abm.study.outcome import StudyResult

PAGE, PROVENANCE, KEY = "index.html", "provenance.json", "report_key"


def keep_report(result: StudyResult) -> bool:
    """Write the report into the study's directory; False if the one there is of the same runs.

    The parts are moved to their places one by one; provenance, which holds the sum of what is shown, is the last.

    Raises
    ------
    Stopped
        If it cannot be written.
    """
    directory = result.directory
    assert directory is not None
    if _key_there(directory) == report_key(result) and (directory / PAGE).is_file():
        return False
    partial = directory / f".{os.getpid()}.report{disk.PARTIAL}"
    shutil.rmtree(partial, ignore_errors=True)
    from ucnp_abm.study.report.writing import write_files  # it draws

    try:
        partial.mkdir()
        write_files(result, partial)
        for part in sorted(partial.iterdir(), key=lambda part: (part.name == PROVENANCE, part.name == PAGE)):
            if part.is_dir():
                shutil.rmtree(directory / part.name, ignore_errors=True)
            part.replace(directory / part.name)
    except OSError as error:
        raise Stopped(
            f"cannot write the report of '{directory}' ({error.strerror or error}); every finished run is kept, go on "
            f"with\n  {result.study.command}"
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return True


def report_key(result: StudyResult) -> str:
    """SHA-256 of what a report shows: all runs, what was asked, what is to be told of them, by which version."""
    digests = [
        [c.design.point, label, n, cell.digest, cell.columns, hashlib.sha256(cell.values.tobytes()).hexdigest()]
        for c in result.comparisons
        for (label, n), cell in c.found.items()
    ]
    about = [
        summary.design(result.study),
        result.study.source,
        digests,
        result.notes,
        [f.said for f in result.failures],
        __version__,
    ]
    return hashlib.sha256(json.dumps(about, sort_keys=True, default=str).encode()).hexdigest()


def _key_there(directory: Path) -> str:
    try:
        return str(json.loads((directory / PROVENANCE).read_bytes())[KEY])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
