"""Who may ask: the one person who was given the link, from the page that the link opened."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from ucnp_abm.errors import shown

SPENT = (
    "This link was used already: go on in the window that it opened, "
    "or start the debugger again, which prints a new link."
)


def _secret() -> str:
    return secrets.token_urlsafe(32)


def _same(given: str, ours: str) -> bool:
    return secrets.compare_digest(given.encode("utf-8", "replace"), ours.encode())  # as bytes: it takes ASCII text only


@dataclass(frozen=True)
class Guard:
    """The secrets of one server, and the rules that every request must keep. It knows nothing of what happened before.

    Parameters
    ----------
    port : int
        The port that is served, of 127.0.0.1.
    token : str
        Stands in the link; good for one page.
    cookie : str
        What the browser is given for the token, and shows from then on.
    """

    port: int
    token: str = field(default_factory=_secret, repr=False)
    cookie: str = field(default_factory=_secret, repr=False)

    @property
    def link(self) -> str:
        """What to open in a browser, once."""
        return f"http://127.0.0.1:{self.port}/?token={self.token}"

    @property
    def name(self) -> str:
        """The cookie's name, with the port: all ports of a host share their cookies."""
        return f"ucnp-abm-{self.port}"

    @property
    def set_cookie(self) -> str:
        """The value of the Set-Cookie header."""
        return f"{self.name}={self.cookie}; HttpOnly; SameSite=Strict; Path=/"

    def refusal(
        self, method: str, path: str, headers: Sequence[tuple[str, str]], query: str = "", *, spent: bool = False
    ) -> str | None:
        """Why a request is refused, in one sentence; nothing if it may pass.

        Parameters
        ----------
        method, path, query : str
            Of the request; the path decoded, the query as it was sent.
        headers : sequence of (str, str)
            As they were sent, with names in lower case; a name may come twice.
        spent : bool
            Whether the token was used already.
        """
        given: dict[str, list[str]] = {}
        for name, value in headers:
            given.setdefault(name, []).append(value)
        for name in ("host", "origin", "sec-fetch-site", "content-type"):
            if len(given.get(name, ())) > 1:
                return f"The request has {len(given[name])} headers '{name}', and one is allowed."
        host, origin, site, kind = (
            next(iter(given.get(name, ())), None) for name in ("host", "origin", "sec-fetch-site", "content-type")
        )
        ours = (f"127.0.0.1:{self.port}", f"localhost:{self.port}")
        if host not in ours:  # a name of somebody else's that points to this machine: DNS rebinding
            return f"The request is for the host {shown(host)}; allowed: {', '.join(ours)}."
        if origin is not None and origin != f"http://{host}":
            return f"The request comes from a page of {shown(origin)}; allowed: http://{host}."
        if origin is None and method not in ("GET", "HEAD"):
            return f"A {shown(method)} request needs an Origin, which browsers always send; allowed: http://{host}."
        if method == "POST" and (kind or "").partition(";")[0].strip().lower() != "application/json":
            return f"The request's content type is {shown(kind)}; allowed: application/json."
        if self.opens(method, path, query) and not spent:
            return (
                None  # whoever knows the token may come from anywhere: a link in a mail or a notebook is clicked there
            )
        if site not in (None, "same-origin", "none"):
            return (
                f"The request was made by another site's page (Sec-Fetch-Site: {shown(site)}); open the link instead."
            )
        if self.knows(given.get("cookie", ())):
            return None
        if self.opens(method, path, query):
            return SPENT
        return "The request has no cookie of this server: open the link that was printed when the debugger started."

    def opens(self, method: str, path: str, query: str) -> bool:
        """Whether a request is the link itself, with the right token."""
        tokens = [part[len("token=") :] for part in query.split("&") if part.startswith("token=")]
        return method == "GET" and path == "/" and len(tokens) == 1 and _same(tokens[0], self.token)

    def knows(self, cookies: Sequence[str]) -> bool:
        """Whether one of the cookies is ours; any page of this host may set another of its name."""
        pairs = [part.strip().partition("=") for header in cookies for part in header.split(";")]
        return any(name == self.name and _same(value, self.cookie) for name, _, value in pairs)
