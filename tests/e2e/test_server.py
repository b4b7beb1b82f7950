"""The server, on a real socket: it answers its page, refuses everybody else, and lives on."""

import gzip
import http.client
import json
import logging
import socket
import threading
import time
from contextlib import closing

import pytest

from ucnp_abm.errors import BadInput
from ucnp_abm.server.gate import BODY_LIMIT, HEADERS
from ucnp_abm.server.serving import Serving

PAGE = {
    "/": (b"<!doctype html><title>page</title>", "text/html; charset=utf-8"),
    "/main.js": (b"// " + b"x" * 5000, "text/javascript"),
    "/style.css": (b"body{}", "text/css"),
}
calls = []
held = threading.Event()


def answer(command, arguments):
    calls.append((command, arguments))
    if command == "wrong":
        error = BadInput("the number is -1; allowed: 1")
        error.field = arguments.get("field")
        raise error
    if command == "broken":
        return {"a": 1 / 0}
    if command == "leave":
        raise SystemExit(3)
    if command == "nan":
        return {"a": float("nan")}
    if command == "object":
        return {"a": object()}
    if command == "held":
        held.wait(20)
    if command == "long":
        return {"text": "abc" * 2000}
    return {"command": command, "arguments": arguments, "thread": threading.current_thread().name}


class Person:
    """Somebody with a browser."""

    def __init__(self, serving):
        self.port = serving.port
        self.host = f"127.0.0.1:{self.port}"
        self.link = serving.link.split(self.host)[1]
        status, headers, _ = self.ask("GET", self.link, {})
        assert status == 200
        self.cookie = headers["set-cookie"].split(";")[0]
        self.ours = {"Cookie": self.cookie, "Origin": f"http://{self.host}"}
        self.json = {**self.ours, "Content-Type": "application/json"}

    def ask(self, method, path, headers, body=None):
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)) as connection:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            content = response.read()
            for name, value in HEADERS.items():
                assert response.headers.get_all(name) == [value], name
            return response.status, response.headers, content

    def get(self, path, **headers):
        return self.ask("GET", path, {"Cookie": self.cookie, **headers})

    def do(self, command, arguments=b"{}", **headers):
        body = arguments if isinstance(arguments, bytes) else json.dumps(arguments).encode()
        status, _, content = self.ask("POST", f"/do/{command}", {**self.json, **headers}, body)
        return status, json.loads(content)

    def raw(self, *parts, pause=0.0, ended=False):
        """All that the server says to some bytes, until it closes the connection or is silent."""
        with closing(socket.create_connection(("127.0.0.1", self.port), timeout=3)) as connection:
            said = b""
            try:
                for part in parts:
                    connection.sendall(part)
                    time.sleep(pause)
                if ended:
                    connection.shutdown(socket.SHUT_WR)
                while got := connection.recv(65536):
                    said += got
            except (ConnectionError, TimeoutError):
                pass
            return said

    def head(self, line, *headers, host=None):
        host = self.host if host is None else host
        given = [
            f"Host: {host}",
            f"Cookie: {self.cookie}",
            f"Origin: http://{self.host}",
            "Connection: close",
            *headers,
        ]
        return "\r\n".join([line, *given, "", ""]).encode("latin-1")


@pytest.fixture(scope="module")
def person():
    with Serving(answer, PAGE, patience=0.5) as serving:
        yield Person(serving)


@pytest.fixture(autouse=True)
def still_well(request):
    """After every request of this file, a good one is answered, and nothing bad came through to a command."""
    yield
    if "person" in request.fixturenames:
        person = request.getfixturevalue("person")
        assert person.do("step", {"n": 1})[0] == 200
        assert person.get("/alive")[0] == 200


def status(said):
    return int(said.split(b" ", 2)[1]) if said else None


def test_the_page_is_served_as_it_was_given(person):
    for path, (content, kind) in PAGE.items():
        code, headers, given = person.get(path)
        assert (code, given, headers["content-type"]) == (200, content, kind)
        assert "set-cookie" not in headers
    assert person.get("/alive")[2] == b"{}"


def test_a_command_is_done_in_a_worker(person):
    code, given = person.do("step", {"n": 3, "deep": [[{"a": None}]]})
    assert code == 200
    assert given["arguments"] == {"n": 3, "deep": [[{"a": None}]]}
    assert given["thread"] not in (threading.current_thread().name, f"ucnp-abm {person.port}")


def test_long_answers_are_packed_for_who_can_unpack(person):
    for path in ("/main.js",):
        _, headers, packed = person.get(path, **{"Accept-Encoding": "gzip, br"})
        assert headers["content-encoding"] == "gzip"
        assert gzip.decompress(packed) == PAGE[path][0]
        assert len(packed) < 200
    _, headers, _ = person.get("/style.css", **{"Accept-Encoding": "gzip"})
    assert "content-encoding" not in headers
    _, headers, packed = person.ask("POST", "/do/long", {**person.json, "Accept-Encoding": "gzip"}, b"{}")
    assert json.loads(gzip.decompress(packed)) == {"text": "abc" * 2000}


def test_an_answer_does_not_wait_in_the_socket(person):
    with closing(http.client.HTTPConnection("127.0.0.1", person.port, timeout=10)) as connection:
        took = []
        for _ in range(21):
            start = time.perf_counter()
            connection.request("POST", "/do/step", b"{}", person.json)
            connection.getresponse().read()
            took.append(time.perf_counter() - start)
    assert sorted(took)[10] < 0.03  # s; Nagle's delay is 0.04


def test_what_the_person_can_mend_is_told_with_its_field(person):
    assert person.do("wrong") == (422, {"error": "the number is -1; allowed: 1", "field": None})
    assert person.do("wrong", {"field": "n"})[1]["field"] == "n"
    assert person.do("wrong", {"field": [1]})[1]["field"] == "[1]"


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("broken", "ZeroDivisionError: division by zero"),
        ("leave", "SystemExit: 3"),
        ("nan", "ValueError: Out of range float values are not JSON compliant"),
        ("object", "TypeError: Object of type object is not JSON serializable"),
    ],
)
def test_what_breaks_is_told_in_a_sentence_and_logged(person, caplog, command, told):
    with caplog.at_level(logging.ERROR, logger="ucnp_abm.server"):
        code, given = person.do(command)
    assert code == 500
    assert given["error"].startswith(told)
    assert "Traceback" not in given["error"]
    assert f"the command '{command}' failed" in caplog.text
    assert "Traceback" in caplog.text


def test_commands_are_done_one_at_a_time():
    running, most = [], []

    def slow(command, arguments):
        running.append(1)
        most.append(len(running))
        time.sleep(0.02)
        running.pop()
        return {}

    with Serving(slow, PAGE) as serving:
        person = Person(serving)
        threads = [threading.Thread(target=person.do, args=("step",)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert most == [1] * 8


def test_the_link_is_good_once():
    with Serving(answer, PAGE) as serving:
        path = serving.link.split(str(serving.port))[1]
        stranger = object.__new__(Person)
        stranger.port = serving.port
        for wrong in ("/", "/main.js", "/alive", "/do/step", "/?token=", "/?token=wrong", path[:-1], "/no"):
            code, headers, content = stranger.ask("GET", wrong, {})
            assert (code, "set-cookie" in headers) == (403, False), wrong
            assert b"page</title>" not in content
        code, headers, content = stranger.ask("GET", path, {"Sec-Fetch-Site": "cross-site"})
        assert (code, content) == (200, PAGE["/"][0])
        name, _, rest = headers["set-cookie"].partition("=")
        assert name == f"ucnp-abm-{serving.port}"
        assert rest.endswith("; HttpOnly; SameSite=Strict; Path=/")
        code, headers, content = stranger.ask("GET", path, {})
        assert (code, headers["content-type"]) == (403, "text/html; charset=utf-8")
        assert b"This link was used already" in content
        code, headers, content = stranger.ask("GET", path, {"Cookie": f"{name}={rest.split(';')[0]}"})
        assert (code, content, "set-cookie" in headers) == (200, PAGE["/"][0], False)


def test_of_two_who_open_the_link_at_once_one_is_let_in():
    with Serving(answer, PAGE) as serving:
        stranger = object.__new__(Person)
        stranger.port = serving.port
        path = serving.link.split(str(serving.port))[1]
        codes = []
        threads = [threading.Thread(target=lambda: codes.append(stranger.ask("GET", path, {})[0])) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(codes) == [200] + [403] * 7


@pytest.mark.parametrize(
    "change",
    [
        {"Cookie": ""},
        {"Cookie": "ucnp-abm-1=x"},
        {"Host": "evil.example"},
        {"Host": "evil.example:{port}"},
        {"Host": "localhost:{port}"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:{port}"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["/do/step", "/nothing", "/do/"])
def test_another_page_reaches_no_command(person, change, path):
    before = len(calls)
    change = {name: value.format(port=person.port) for name, value in change.items()}
    code, headers, content = person.ask("POST", path, {**person.json, **change}, b'{"n": 1}')
    assert (code, headers["content-type"], headers["connection"]) == (403, "application/json", "close")
    assert list(json.loads(content)) == ["error"]
    assert len(calls) == before


def test_a_command_without_an_origin_is_refused(person):
    headers = {"Cookie": person.cookie, "Content-Type": "application/json"}
    assert person.ask("POST", "/do/step", headers, b"{}")[0] == 403


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/do/step", 405),
        ("POST", "/", 405),
        ("POST", "/alive", 405),
        ("PUT", "/do/step", 405),
        ("DELETE", "/", 405),
        ("TRACE", "/", 405),
        ("OPTIONS", "/do/step", 405),
        ("CONNECT", "/", 405),
        ("GET", "/nothing", 404),
        ("GET", "/main.js/", 404),
        ("GET", "/do/step/", 404),
        ("POST", "/do/", 404),
        ("POST", "/do/step/more", 404),
        ("POST", "/do/__class__", 404),
        ("POST", "/do/Step", 404),
        ("GET", "/docs", 404),
    ],
)
def test_wrong_methods_and_unknown_paths_are_told_to_our_page_only(person, method, path, code):
    given, headers, content = person.ask(method, path, person.json, b"{}" if method == "POST" else None)
    assert given == code
    assert headers["content-type"] == "application/json"
    assert "error" in json.loads(content)
    assert "location" not in headers
    stranger = {name: value for name, value in person.json.items() if name != "Cookie"}
    assert person.ask(method, path, stranger, b"{}" if method == "POST" else None)[0] == 403


@pytest.mark.parametrize(
    "path",
    ["/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc/passwd", "//etc/passwd", "/main.js%00.css",
     "/%00", "/%0d%0aSet-Cookie:%20a=b", "/.\\..\\", "/main.js;/", "/%ff%fe", "/" + "a" * 10000, "/main.js/../main.js",
     "http://evil.example/", "*", "/do/..%2f", "/do/%2e%2e"],
)  # fmt: skip
def test_no_path_leads_elsewhere(person, path):
    said = person.raw(person.head(f"GET {path} HTTP/1.1"))
    assert status(said) in (404, 405)
    assert b"root:" not in said
    assert b"set-cookie" not in said.lower().partition(b"\r\n\r\n")[0]


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"1", b"null", b'"a"', b"{", b"{'a': 1}", b'{"a": NaN}', b'{"a": Infinity}', b'{"a": -Infinity}',
     b'{"a": 1e999}', b'{"a": 1, "a": 2}', b'{"b": {"a": 1, "a": 1}}', b'{"a": ' + b"[" * 17 + b"]" * 17 + b"}",
     b"[" * 60000, b'{"a":' * 12000, b'{"a": ' + b"9" * 21 + b"}", b"\xff\xfe{}", b"\xef\xbb\xbf{}", b"{}{}",
     b'{"a": 01}', '{"a": 1}'.encode("utf-16"), b"a=1&b=2", b'{"a": "\x00"}'],
    ids=range(24),
)  # fmt: skip
def test_what_is_no_json_object_is_told(person, body):
    before = len(calls)
    code, given = person.do("step", body)
    assert code == 400
    assert given["error"].startswith("The request cannot be read: ")
    assert len(given["error"]) < 200
    assert len(calls) == before


def test_moderate_nesting_is_read(person):
    assert person.do("step", b'{"a": ' + b"[" * 15 + b"]" * 15 + b"}")[0] == 200


def test_a_body_to_the_limit_is_read_and_one_byte_more_is_not(person):
    fill = BODY_LIMIT - len(b'{"a": ""}')
    assert person.do("step", b'{"a": "' + b"x" * fill + b'"}')[0] == 200
    code, given = person.do("step", b'{"a": "' + b"x" * (fill + 1) + b'"}')
    assert (code, given["error"]) == (413, f"The request has more than {BODY_LIMIT} bytes.")


JSON = "Content-Type: application/json"


def test_a_huge_body_is_not_read(person):
    line = "POST /do/step HTTP/1.1"
    assert status(person.raw(person.head(line, JSON, "Content-Length: 9000000000"))) == 413
    said = person.raw(person.head(line, JSON, "Content-Length: 20000000"), *[b"x" * 65536] * 300)
    assert status(said) in (413, None)  # None: it closed while we were still sending
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    for n in (2, 5000):
        assert status(person.raw(person.head(line, JSON, "Transfer-Encoding: chunked"), *[chunk] * n)) in (413, None)
    assert status(person.raw(person.head(line, JSON, "Transfer-Encoding: chunked"), chunk * 2, b"0\r\n\r\n")) == 413


@pytest.mark.parametrize(
    "header",
    ["Content-Length: -5", "Content-Length: five", "Content-Length: 1e3", "Content-Length: 5, 6",
     "Content-Length: " + "9" * 40, "Content-Length: 5\r\nContent-Length: 6", "Transfer-Encoding: gzip",
     "Host: 127.0.0.1", "no colon", ": empty",
     "Bad\x00Name: a", "A: b\x00c", "Long: " + "x" * 70000],
    ids=range(13),
)  # fmt: skip
def test_a_broken_head_is_answered_and_closed(person, header):
    before = len(calls)
    said = person.raw(person.head("POST /do/step HTTP/1.1", JSON, header), b"{}")
    assert status(said) in (400, 501) or (status(said) is None and len(header) > 60000)
    if said:
        assert b"content-security-policy: default-src 'none'" in said
    assert len(calls) == before


@pytest.mark.parametrize(
    "said",
    [
        b"\x16\x03\x01\x02\x00\x01",
        b"GET\r\n\r\n",
        b"\x00" * 100,
        b"GET / HTTP/1.1\r\n\r\n",
        b"G\xe9T / HTTP/1.1\r\n\r\n",
    ],
)
def test_what_is_no_http_is_answered_and_closed(person, said):
    assert status(person.raw(said)) == 400
    for version in ("1.0", "2.0", "9.9"):
        assert status(person.raw(f"GET / HTTP/{version}\r\n\r\n".encode())) == 403


def test_slow_and_missing_bodies_end_in_time(person):
    start = time.perf_counter()
    head = person.head("POST /do/step HTTP/1.1", JSON, "Content-Length: 10")
    assert status(person.raw(head, b"{")) == 408
    assert person.raw(head, b"{", ended=True) == b""
    chunked = person.head("POST /do/step HTTP/1.1", JSON, "Transfer-Encoding: chunked")
    assert status(person.raw(chunked, *[b"1\r\n \r\n"] * 30, pause=0.05)) in (408, None)
    assert person.raw(chunked, b"zz\r\n") == b""  # no chunk at all
    assert person.raw(b"GET / HT") == b""
    assert person.raw(b"") == b""
    assert time.perf_counter() - start < 8


def test_an_endless_body_is_read_to_a_limit_only():
    with Serving(answer, PAGE, patience=20) as serving:
        person = Person(serving)
        head = person.head("POST /do/step HTTP/1.1", JSON, "Transfer-Encoding: chunked")
        start = time.perf_counter()
        assert status(person.raw(head, *[b"10000\r\n" + b"x" * 65536 + b"\r\n"] * 40)) in (413, None)
        assert time.perf_counter() - start < 2


def test_half_a_head_ends_in_time(person):
    start = time.perf_counter()
    assert person.raw(b"GET / HTTP/1.1\r\nHost: ") == b""
    assert time.perf_counter() - start < 2


def test_a_refused_request_does_not_wait_for_its_body(person):
    stranger = person.head("POST /do/step HTTP/1.1", JSON, "Content-Length: 10", host="evil.example")
    start = time.perf_counter()
    assert status(person.raw(stranger)) == 403
    assert time.perf_counter() - start < 2


def test_a_websocket_is_refused(person):
    keys = ["Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
    upgrade = (
        f"GET /do/step HTTP/1.1\r\nHost: {person.host}\r\nConnection: Upgrade, close\r\n" + "\r\n".join(keys) + "\r\n"
    )
    assert status(person.raw(f"{upgrade}Origin: http://evil.example\r\n\r\n".encode())) == 403
    assert status(person.raw(f"{upgrade}\r\n".encode())) == 403
    assert status(person.raw(f"{upgrade}Cookie: {person.cookie}\r\n\r\n".encode())) == 405


def test_two_requests_in_one_breath_are_answered_in_order(person):
    one = person.head("GET /alive HTTP/1.1").replace(b"Connection: close\r\n", b"")
    said = person.raw(one + person.head("GET /style.css HTTP/1.1"))
    assert said.count(b"HTTP/1.1 200") == 2
    assert said.endswith(b"body{}")


def test_nobody_else_hears_it():
    with Serving(answer, PAGE) as serving:
        assert serving.link.startswith(f"http://127.0.0.1:{serving.port}/?token=")
        assert repr(serving) == f"<Serving {serving.link}>"
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", serving.port), timeout=1).close()


@pytest.mark.parametrize("port", [-1, 65536, 1.5, "8123", True, None])
def test_a_port_out_of_range_is_refused(port):
    with pytest.raises(BadInput, match="allowed: a whole number from 0"):
        Serving(answer, PAGE, port)


def test_a_port_in_use_is_told_and_is_free_after_closing():
    with Serving(answer, PAGE) as serving:
        port = serving.port
        Person(serving)
        with pytest.raises(BadInput, match=f"^port {port} is in use; leave --port out for a free one$"):
            Serving(answer, PAGE, port)
    with Serving(answer, PAGE, port) as serving:
        assert serving.port == port


def test_it_closes_within_a_second_whatever_it_does():
    held.clear()
    serving = Serving(answer, PAGE)
    person = Person(serving)
    given = []
    threads = [threading.Thread(target=lambda: given.append(person.do("held"))) for _ in range(3)]
    for thread in threads:
        thread.start()
    idle = socket.create_connection(("127.0.0.1", serving.port))
    half = socket.create_connection(("127.0.0.1", serving.port))
    half.sendall(person.head("POST /do/step HTTP/1.1", JSON, "Content-Length: 10"))
    while not any(command == "held" for command, _ in calls):
        time.sleep(0.01)
    time.sleep(0.1)
    waiting = threading.Thread(target=serving.wait)
    waiting.start()
    start = time.perf_counter()
    serving.close()
    waiting.join()
    assert time.perf_counter() - start < 1
    assert f"ucnp-abm {serving.port}" not in [thread.name for thread in threading.enumerate()]
    for thread in threads:
        thread.join()
    assert given == [(503, {"error": "The debugger is closing."})] * 3
    with pytest.raises(ConnectionError):
        person.get("/alive")
    serving.close()
    held.set()
    idle.close()
    half.close()
    assert repr(serving).endswith(" (closed)>")


def test_control_c_ends_the_wait(monkeypatch):
    def pressed(self, timeout=None):
        raise KeyboardInterrupt

    serving = Serving(answer, PAGE)
    monkeypatch.setattr(serving._closed, "wait", pressed.__get__(serving._closed))
    serving.wait()
    assert not serving._thread.is_alive()
