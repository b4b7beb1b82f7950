"""The socket: a server on 127.0.0.1 in a thread of its own, and the link to it."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import threading
import time
from contextlib import suppress
from types import TracebackType

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from ucnp_abm.errors import BadInput, shown
from ucnp_abm.server.app import Answer, Page, application
from ucnp_abm.server.gate import HEADERS
from ucnp_abm.server.guard import Guard


class Serving:
    """A running server; it accepts connections as soon as it is made.

    Parameters
    ----------
    answer : callable
        What a command does; see `application`.
    page : mapping
        Paths to content and content type.
    port : int
        0: any free one.
    patience : float
        s until a request must be complete.

    Attributes
    ----------
    port : int
        The port that is served.
    link : str
        What to open in a browser, once.

    Raises
    ------
    BadInput
        If the port cannot be had.
    """

    def __init__(self, answer: Answer, page: Page, port: int = 0, *, patience: float = 10.0) -> None:
        self._socket = _bound(port)
        self.port: int = self._socket.getsockname()[1]
        guard = Guard(self.port)
        self.link = guard.link
        self._gate = application(guard, page, answer, patience=patience)

        class Protocol(_Protocol):
            seconds = patience

        self._server = uvicorn.Server(
            uvicorn.Config(
                self._gate,
                http=Protocol,
                loop="asyncio",
                ws="none",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                log_level="error",  # its warnings are about what strangers send, which the person cannot mend
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=1,
            )
        )
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"ucnp-abm {self.port}", daemon=True)
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(0.001)

    def __repr__(self) -> str:
        return f"<Serving {self.link}{' (closed)' if self._closed.is_set() else ''}>"

    def __enter__(self) -> Serving:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def wait(self) -> None:
        """Wait until Ctrl-C, or until it is closed by another thread; it is closed then."""
        try:
            while not self._closed.wait(0.5) and self._thread.is_alive():
                pass  # in slices: where Ctrl-C cannot end a wait, it is seen in between
        except KeyboardInterrupt:
            pass
        self.close()

    def close(self) -> None:
        """End it within a second, whatever it is doing. A command that is running is left alone, unheard."""
        self._closed.set()
        self._server.should_exit = True
        with suppress(RuntimeError):  # the loop is closed already
            self._loop.call_soon_threadsafe(self._gate.close)
        self._thread.join(timeout=5.0)

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self._server.serve(sockets=[self._socket])


class _Protocol(H11Protocol):
    """HTTP/1.1 of uvicorn, which does not wait for ever for a first request, and whose own errors are armed too."""

    seconds = 10.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.loop.call_later(self.seconds, self._give_up)

    def _give_up(self) -> None:
        if self.cycle is None:  # no request came, or half of one
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        if self.cycle is None or self.cycle.response_complete:  # no answer is on its way
            head = {"content-type": "text/plain", "content-length": str(len(msg)), "connection": "close", **HEADERS}
            lines = ["HTTP/1.1 400 Bad Request", *(f"{name}: {value}" for name, value in head.items()), "", msg]
            self.transport.write("\r\n".join(lines).encode("latin-1"))
        self.transport.close()


def _bound(port: int) -> socket.socket:
    if not isinstance(port, int) or isinstance(port, bool) or not 0 <= port <= 65535:
        raise BadInput(f"the port is {shown(port)}; allowed: a whole number from 0 (any free port) to 65535")
    # The protocol is said, as asyncio switches Nagle's delay off (40 ms an answer) only where it reads TCP.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # a port is free at once after a session; elsewhere the option would share it
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", port))
        bound.listen()
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            why = "is in use"
        elif error.errno in (errno.EACCES, errno.EPERM):
            why = "is not allowed"
        else:
            why = f"cannot be had ({error.strerror})"
        raise BadInput(f"port {port} {why}; leave --port out for a free one") from None
    return bound
