"""Pictures as an MP4 file that browsers and PowerPoint play, by ffmpeg."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from ucnp_abm.errors import BadInput
from ucnp_abm.runs import disk

FRAMES, FPS = (2, 10_000), (1, 60)
"""Least and most."""


def ffmpeg() -> str:
    """Where ffmpeg is.

    Raises
    ------
    BadInput
        If it is not installed.
    """
    found = shutil.which("ffmpeg")
    if found is None:
        raise BadInput("movie: an MP4 needs ffmpeg, which is not installed here; an HTML movie (--html) does without")
    return found


def within(what: str, value: int, bounds: tuple[int, int]) -> int:
    """The number, if it is whole and neither too small nor too large.

    Raises
    ------
    BadInput
        Otherwise.
    """
    least, most = bounds
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise BadInput(f"movie: {what}: expected a whole number from {least} to {most}, got {value!r}")
    return value


@contextmanager
def mp4(target: Path, size: tuple[int, int], fps: int) -> Iterator[Callable[[memoryview], None]]:
    """A function that takes the frames, one by one; the file takes its place at the end, complete, or not at all.

    H.264, yuv420p in the colours of BT.709, the index in front, a key frame every 2 s, no sound, nothing in the file
    that tells day or place.

    Parameters
    ----------
    target : Path
    size : tuple of int
        Width and height / pixels, even. A frame is their RGBA bytes, row by row from the top.
    fps : int
        Frames per second.

    Raises
    ------
    BadInput
        If ffmpeg is missing or fails, or the file cannot be written.
    """
    within("fps", fps, FPS)
    width, height = size
    partial = disk.beside(target)
    command = [
        ffmpeg(), "-y", "-nostdin", "-loglevel", "error",
        "-f", "rawvideo", "-pixel_format", "rgba", "-video_size", f"{width}x{height}", "-framerate", str(fps),
        "-i", "pipe:0", "-an",
        "-vf", "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p",
        "-c:v", "libx264", "-preset", "medium", "-crf", "18", "-g", str(2 * fps),
        "-color_range", "tv", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709",
        "-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-movflags", "+faststart",
        "-f", "mp4", str(partial.absolute()),
    ]  # fmt: skip
    with tempfile.TemporaryFile() as said:
        # A session of its own: Ctrl-C is ours to answer.
        encoder = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=said, start_new_session=True)
        assert encoder.stdin is not None
        try:
            whole = False
            with suppress(_Ended):
                yield _taking(encoder.stdin)
                whole = _closed(encoder.stdin)
            if encoder.wait() != 0 or not whole:
                raise BadInput(f"movie: ffmpeg could not write '{target}' ({_last_line(said, encoder.returncode)})")
            _put(partial, target)
        finally:
            encoder.kill()
            encoder.wait()
            with suppress(OSError):
                encoder.stdin.close()
            partial.unlink(missing_ok=True)


class _Ended(Exception):
    """ffmpeg takes no more."""


def _taking(pipe: IO[bytes]) -> Callable[[memoryview], None]:
    def take(frame: memoryview) -> None:
        try:
            pipe.write(frame)
        except OSError as error:
            raise _Ended from error

    return take


def _closed(pipe: IO[bytes]) -> bool:
    """Tell ffmpeg that this was all; whether it has taken everything."""
    try:
        pipe.close()
    except OSError:
        return False
    return True


def _put(partial: Path, target: Path) -> None:
    try:
        partial.replace(target)
    except OSError as error:
        raise BadInput(f"movie: cannot write '{target}' ({error.strerror})") from error


def _last_line(said: IO[bytes], code: int) -> str:
    said.seek(0)
    lines = said.read().decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), f"exit code {code}")
