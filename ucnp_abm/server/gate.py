"""The gate: every request is judged, its body read within limits, and every answer armed, before anything else."""

from __future__ import annotations

import asyncio
import html
import json
from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ucnp_abm.server.guard import Guard

BODY_LIMIT = 64 * 1024
"""Bytes of a request's body."""
DRAINED = 1024 * 1024
"""Bytes that are read and thrown away, so that a browser that is still sending hears why it was refused."""
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}
"""On every answer, errors too."""
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>ucnp-abm</title></head>
<body><h1>This page cannot be shown</h1><p>{}</p></body></html>
"""


class _Refused(Exception):
    """A request that ends here."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Gate:
    """An ASGI application around another one, which is reached by nothing that the guard refuses.

    Parameters
    ----------
    app : ASGI application
        Gets requests whose body is whole, and short.
    guard : Guard
    patience : float
        s until a body must be there.
    """

    def __init__(self, app: ASGIApp, guard: Guard, *, patience: float = 10.0) -> None:
        self.app = app
        self.guard = guard
        self.patience = patience
        self._spent = False
        self._closing = False
        self._running: set[asyncio.Task[object]] = set()

    def close(self) -> None:
        """End what is running with status 503, and refuse all that comes. To be called in the loop of the server."""
        self._closing = True
        for task in self._running:
            task.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})  # before it is accepted: the server answers 403
        if scope["type"] != "http":
            return
        armed = _Armed(send)
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        try:
            if self._closing:
                raise _Refused(503, "The debugger is closing.")
            await self._pass(scope, receive, armed)
        except _Refused as refused:
            await _refuse(armed, refused, as_page=scope["method"] == "GET" and scope["path"] == "/")
        except asyncio.CancelledError:
            if not self._closing:
                raise
            if not armed.started:
                await _refuse(armed, _Refused(503, "The debugger is closing."), as_page=False)
        finally:
            self._running.discard(task)

    async def _pass(self, scope: Scope, receive: Receive, send: _Armed) -> None:
        method, path, query = scope["method"], scope["path"], scope["query_string"].decode("latin-1")
        headers = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]]
        refusal = self.guard.refusal(method, path, headers, query, spent=self._spent)
        if refusal is not None:
            with suppress(_Refused):
                await _body(receive, min(self.patience, 1.0))
            raise _Refused(403, refusal)
        if self.guard.opens(method, path, query) and not self._spent:
            self._spent = True  # nothing is awaited since the judgement: two at once cannot both be the first
            send.extra["set-cookie"] = self.guard.set_cookie
        declared = next(
            (int(value) for name, value in headers if name == "content-length"), 0
        )  # h11 has seen to digits
        body = await _body(receive, self.patience, declared=declared)
        if body is None:
            return
        whole: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return whole.pop() if whole else await receive()

        await self.app(scope, replay, send)


class _Armed:
    """A way to send, with the headers of `HEADERS` on every answer."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.extra: dict[str, str] = {}
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            ours = [(name.encode(), value.encode()) for name, value in (HEADERS | self.extra).items()]
            message["headers"] = [*message["headers"], *ours]
        await self._send(message)


async def _body(receive: Receive, patience: float, *, declared: int = 0) -> bytes | None:
    """The whole body; None if the other side left."""
    long = _Refused(413, f"The request has more than {BODY_LIMIT} bytes.")
    if declared > DRAINED:
        raise long
    content, size, more = bytearray(), 0, True
    try:
        async with asyncio.timeout(patience):
            while more and size <= DRAINED:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return None
                part = message.get("body", b"")
                size += len(part)
                if size <= BODY_LIMIT:
                    content += part
                more = message.get("more_body", False)
    except TimeoutError:
        late = _Refused(408, f"The request was not complete after {patience:g} s.")
        raise (long if size > BODY_LIMIT else late) from None
    if size > BODY_LIMIT:
        raise long
    return bytes(content)


async def _refuse(send: _Armed, refused: _Refused, *, as_page: bool) -> None:
    text = _PAGE.format(html.escape(str(refused))) if as_page else json.dumps({"error": str(refused)})
    body = text.encode()
    send.extra |= {
        "content-type": "text/html; charset=utf-8" if as_page else "application/json",
        "content-length": str(len(body)),
        "connection": "close",  # the rest of its body may still be on the way, and would be read as a request
    }
    await send({"type": "http.response.start", "status": refused.status, "headers": []})
    await send({"type": "http.response.body", "body": body})
