"""Only the page that the link opened may ask; everything else is refused, in one sentence."""

import dataclasses
from urllib.parse import urlsplit

import pytest

from ucnp_abm.server.guard import SPENT, Guard

GUARD = Guard(8123, token="the-token", cookie="the-cookie")
HOST = ("host", "127.0.0.1:8123")
OURS = ("origin", "http://127.0.0.1:8123")
JSON = ("content-type", "application/json")
COOKIE = ("cookie", "ucnp-abm-8123=the-cookie")


def refusal(*headers, method="GET", path="/", query="", spent=True):
    return GUARD.refusal(method, path, headers, query, spent=spent)


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("site", [[], [("sec-fetch-site", "same-origin")], [("sec-fetch-site", "none")]])
@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
def test_our_page_may_ask(name, site, kind):
    ours = [("host", f"{name}:8123"), COOKIE, *site]
    origin = ("origin", f"http://{name}:8123")
    assert refusal(*ours) is None
    assert refusal(*ours, origin) is None
    assert refusal(*ours, path="/main.js", query="a=b") is None
    assert refusal(*ours, origin, ("content-type", kind), method="POST", path="/do/step") is None


@pytest.mark.parametrize(
    "host",
    ["evil.example:8123", "127.0.0.1", "127.0.0.1:80", "localhost:8124", "LOCALHOST:8123", "127.0.0.1:8123.", "",
     "[::1]:8123", "127.0.0.1:8123@evil.example", "user@127.0.0.1:8123", "0.0.0.0:8123", "127.1:8123",
     " 127.0.0.1:8123", "\xff"],
)  # fmt: skip
def test_only_our_two_hosts_are_served(host):
    assert "allowed: 127.0.0.1:8123, localhost:8123" in refusal(("host", host), COOKIE)
    assert "allowed: 127.0.0.1:8123" in refusal(("host", host), query="token=the-token", spent=False)


def test_a_request_without_a_host_or_with_two_is_refused():
    assert "host None" in refusal(COOKIE)
    assert "2 headers 'host'" in refusal(HOST, HOST, COOKIE)


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "", "https://127.0.0.1:8123", "http://127.0.0.1", "http://localhost:8123",
     "http://127.0.0.1:8123/", "http://127.0.0.1:8123.evil.example", "file://"],
)  # fmt: skip
def test_only_pages_of_the_same_host_may_ask(origin):
    for method in ("GET", "POST", "OPTIONS"):
        assert "allowed: http://127.0.0.1:8123" in refusal(HOST, COOKIE, JSON, ("origin", origin), method=method)
    assert refusal(HOST, ("origin", origin), query="token=the-token", spent=False)
    assert "2 headers 'origin'" in refusal(HOST, OURS, ("origin", origin), COOKIE)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "TRACE", "OPTIONS"])
def test_what_is_more_than_reading_needs_an_origin(method):
    assert "needs an Origin" in refusal(HOST, COOKIE, JSON, method=method)


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "application/json+x", "*/*"]
)
def test_a_form_is_no_command(kind):
    assert "allowed: application/json" in refusal(HOST, COOKIE, OURS, ("content-type", kind), method="POST")
    assert "allowed: application/json" in refusal(HOST, COOKIE, OURS, method="POST")
    assert "2 headers" in refusal(HOST, COOKIE, OURS, JSON, ("content-type", kind), method="POST")


@pytest.mark.parametrize("site", ["cross-site", "same-site", "", "None", "same-origin, cross-site"])
def test_another_sites_page_may_not_ask_even_with_the_cookie(site):
    assert "another site's page" in refusal(HOST, COOKIE, ("sec-fetch-site", site))
    assert "2 headers" in refusal(HOST, COOKIE, ("sec-fetch-site", "none"), ("sec-fetch-site", site))


@pytest.mark.parametrize(
    "cookie",
    [None, "", "ucnp-abm-8123=", "ucnp-abm-8123=the-cooki", "ucnp-abm-8123=the-cookie2", "ucnp-abm-8124=the-cookie",
     "the-cookie", "x=the-cookie", "ucnp-abm-8123=\xff", "ucnp-abm-8123=the-token", "xucnp-abm-8123=the-cookie"],
)  # fmt: skip
def test_without_our_cookie_nothing_is_served(cookie):
    given = [] if cookie is None else [("cookie", cookie)]
    for path in ("/", "/main.js", "/alive", "/nothing", "/do/step"):
        assert "no cookie" in refusal(HOST, *given, path=path, spent=False)
    assert "no cookie" in refusal(HOST, *given, OURS, JSON, method="POST", path="/do/step", spent=False)


def test_cookies_of_others_do_no_harm():
    assert refusal(HOST, ("cookie", "a=b; ucnp-abm-8123=wrong; ucnp-abm-8123=the-cookie;c")) is None
    assert refusal(HOST, ("cookie", "a=b"), COOKIE) is None


def test_the_token_is_good_once_and_wherever_the_link_was_clicked():
    link = {"query": "token=the-token"}
    for site in ([], [("sec-fetch-site", "cross-site")], [("sec-fetch-site", "none")]):
        assert refusal(HOST, *site, **link, spent=False) is None
    assert refusal(HOST, **link, spent=True) == SPENT
    assert refusal(HOST, ("cookie", "ucnp-abm-8123=old"), **link, spent=True) == SPENT
    assert refusal(HOST, COOKIE, **link, spent=True) is None


@pytest.mark.parametrize(
    "query",
    ["", "token=", "token=the-toke", "token=the-token2", "Token=the-token", "token=the-token&token=the-token",
     "the-token", "token=the-tok%65n", "token=x&token=the-token", "atoken=the-token", "token=\xff"],
)  # fmt: skip
def test_another_token_opens_nothing(query):
    assert "no cookie" in refusal(HOST, query=query, spent=False)
    assert "no cookie" in refusal(HOST, query=query, spent=True)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/alive"), ("GET", "//"), ("HEAD", "/"), ("POST", "/"), ("PUT", "/")]
)
def test_the_token_opens_the_page_only(method, path):
    assert "no cookie" in refusal(HOST, OURS, JSON, method=method, path=path, query="token=the-token", spent=False)


def test_secrets_are_new_each_time_and_are_not_shown():
    one, other = Guard(1), Guard(1)
    secrets = {one.token, one.cookie, other.token, other.cookie}
    assert len(secrets) == 4
    assert min(map(len, secrets)) >= 40
    assert not any(secret in repr(one) for secret in secrets)
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.token = "mine"


def test_the_link_and_the_cookie_are_what_the_guard_accepts():
    link = urlsplit(GUARD.link)
    assert GUARD.refusal("GET", link.path, [("host", link.netloc)], link.query) is None
    value, *attributes = GUARD.set_cookie.split("; ")
    assert GUARD.refusal("GET", "/", [HOST, ("cookie", value)]) is None
    assert attributes == ["HttpOnly", "SameSite=Strict", "Path=/"]
