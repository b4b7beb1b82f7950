"""What a gate does where no real connection comes to it, or only by chance."""

import asyncio

import pytest

from ucnp_abm.server.gate import Gate
from ucnp_abm.server.guard import Guard

GUARD = Guard(8123, token="the-token", cookie="the-cookie")
OURS = [(b"host", b"127.0.0.1:8123"), (b"cookie", b"ucnp-abm-8123=the-cookie")]
EMPTY = {"type": "http.request", "body": b"", "more_body": False}


class Asked:
    """One request to a gate, without a socket."""

    def __init__(self, app=None, given=EMPTY):
        self.reached = False
        self.sent = []
        self.given = given
        self.gate = Gate(app or self.app, GUARD)

    async def app(self, scope, receive, send):
        self.reached = True

    async def receive(self):
        return self.given

    async def send(self, message):
        self.sent.append(message)

    async def ask(self, kind="http", headers=OURS, path="/"):
        scope = {"type": kind, "method": "GET", "path": path, "query_string": b"", "headers": headers}
        await self.gate(scope, self.receive, self.send)
        return [message.get("status") for message in self.sent if message["type"] == "http.response.start"]


def test_a_good_request_comes_through():
    asked = Asked()
    assert asyncio.run(asked.ask()) == []
    assert asked.reached


@pytest.mark.parametrize(("kind", "said"), [("websocket", ["websocket.close"]), ("lifespan", []), ("other", [])])
def test_what_is_no_http_comes_nowhere(kind, said):
    asked = Asked()
    asyncio.run(asked.ask(kind))
    assert [message["type"] for message in asked.sent] == said
    assert not asked.reached


@pytest.mark.parametrize("headers", [OURS, OURS[:1]])
def test_who_left_is_not_answered_as_if_the_body_had_come(headers):
    asked = Asked(given={"type": "http.disconnect"})
    assert asyncio.run(asked.ask(headers=headers)) == ([] if headers == OURS else [403])
    assert not asked.reached


def test_a_gate_that_is_closing_lets_nothing_through():
    asked = Asked()
    asked.gate.close()
    assert asyncio.run(asked.ask()) == [503]
    assert not asked.reached


@pytest.mark.parametrize("started", [True, False])
def test_closing_ends_what_runs_and_answers_once(started):
    async def endless(scope, receive, send):
        if started:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.sleep(60)

    async def closed():
        asked = Asked(endless)
        task = asyncio.create_task(asked.ask())
        await asyncio.sleep(0.01)
        asked.gate.close()
        return await task

    assert asyncio.run(closed()) == [200 if started else 503]


def test_a_task_that_others_cancel_stays_cancelled():
    async def cancelled():
        asked = Asked(lambda scope, receive, send: asyncio.sleep(60))
        task = asyncio.create_task(asked.ask())
        await asyncio.sleep(0.01)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())


def test_what_is_shown_again_is_no_markup():
    asked = Asked()
    asyncio.run(asked.ask(headers=[(b"host", b"<script>alert(1)</script>")]))
    assert b"<script>" not in asked.sent[-1]["body"]
    assert b"&lt;script&gt;" in asked.sent[-1]["body"]
