"""What may be asked: the files of the page, and one command at a time."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ucnp_abm.errors import UcnpError
from ucnp_abm.server.gate import Gate
from ucnp_abm.server.guard import Guard

Answer = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]
"""What a command does: its name and arguments to what is shown."""
Page = Mapping[str, tuple[bytes, str]]
"""Paths ('/', '/main.js', …) to content and content type."""
DEPTH = 16
"""Of lists and objects in each other, in a request."""

_COMMAND = re.compile(r"[a-z][a-z0-9_-]{0,63}")

log = logging.getLogger("ucnp_abm.server")


def application(guard: Guard, page: Page, answer: Answer, *, patience: float = 10.0) -> Gate:
    """The ASGI application: the page's files, POST /do/<command>, GET /alive, all behind the guard.

    Parameters
    ----------
    guard : Guard
    page : mapping
        Everything that is served: no file is read for a request.
    answer : callable
        Called in a worker thread, never twice at once. A `UcnpError` is told with status 422, anything else with 500.
    patience : float
        s until the body of a request must be there.
    """
    one = asyncio.Lock()
    files = {path: (bytes(content), kind) for path, (content, kind) in page.items()}

    async def file(request: Request) -> Response:
        content, kind = files[request.scope["path"]]
        return Response(content, headers={"content-type": kind})

    async def do(request: Request) -> Response:
        command = request.path_params["command"]
        if not _COMMAND.fullmatch(command):  # nothing that could be an attribute of Python's own
            raise HTTPException(404)
        try:
            arguments = parsed(await request.body())
        except ValueError as error:
            return _json(400, _dumped({"error": f"The request cannot be read: {error}."}))
        async with one:  # until the command is done, or the server closes: then it is left alone
            status, content = await run_in_threadpool(_answered, answer, command, arguments)
        return _json(status, content)

    async def alive(request: Request) -> Response:
        return _json(200, b"{}")

    async def failed(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        answer = _json(error.status_code, _dumped({"error": f"{request.method} of this path: {error.detail}."}))
        answer.headers.update(error.headers or {})
        return answer

    app = Starlette(
        routes=[
            Route("/alive", alive, methods=["GET"]),
            Route("/do/{command}", do, methods=["POST"]),
            *(Route(path, file, methods=["GET"]) for path in files),
        ],
        middleware=[Middleware(GZipMiddleware, minimum_size=1024, compresslevel=6)],
        exception_handlers={HTTPException: failed},
    )
    app.router.redirect_slashes = False  # a redirect would say Host back
    return Gate(app, guard, patience=patience)


def parsed(body: bytes) -> dict[str, Any]:
    """The JSON object of a body, of finite numbers, unique keys and moderate depth.

    Raises
    ------
    ValueError
        What is wrong, without a full stop.
    """
    try:
        value = json.loads(
            body.decode(), object_pairs_hook=_unique, parse_constant=_constant, parse_float=_finite, parse_int=_whole
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"it is not JSON ({error.msg} at character {error.pos + 1})") from None
    except RecursionError:
        raise ValueError(f"it is nested deeper than {DEPTH}") from None
    if not isinstance(value, dict):
        raise ValueError("it is not a JSON object")
    level: list[Any] = [value]
    for _ in range(DEPTH):
        inner = [part.values() if isinstance(part, dict) else part for part in level]
        level = [each for part in inner for each in part if isinstance(each, dict | list)]
    if level:
        raise ValueError(f"it is nested deeper than {DEPTH}")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in an object")
    return found


def _constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")


def _finite(text: str) -> float:
    if not math.isfinite(float(text)):
        raise ValueError("a number is too large")
    return float(text)


def _whole(text: str) -> int:
    if len(text) > 20:  # more than 64 bits; an int of many digits costs the square of their number
        raise ValueError("a number is too large")
    return int(text)


def _answered(answer: Answer, command: str, arguments: dict[str, Any]) -> tuple[int, bytes]:
    """Status and content of what a command says, whatever happens in it."""
    try:
        return 200, _dumped(answer(command, arguments))
    except UcnpError as error:
        field = getattr(error, "field", None)
        return 422, _dumped({"error": _told(error), "field": None if field is None else str(field)})
    except BaseException as error:  # a plugin may raise anything, SystemExit too: the person goes on with the session
        log.exception("the command '%s' failed", command)
        return 500, _dumped({"error": f"{type(error).__name__}: {_told(error)}"})


def _told(error: BaseException) -> str:
    try:
        return str(error)[:2000]
    except Exception as another:  # an error of a plugin with a text of its own
        return f"an error without a text ({type(another).__name__})"


def _dumped(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode()


def _json(status: int, content: bytes) -> Response:
    return Response(content, status, media_type="application/json")
