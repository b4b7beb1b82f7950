"""Who comes in, and what is said to those who do not, cannot see, or are left alone."""

import http.server
import threading
from contextlib import contextmanager
from urllib.parse import quote

BLIND = """
const real = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
  return kind === "webgl2" ? null : real.call(this, kind, ...rest);
};
"""


@contextmanager
def elsewhere(content):
    """Another site's server, which shows one page."""

    class Shows(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = content.encode() if self.path == "/" else b""
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *told):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shows)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_link_opens_once_and_its_page_can_be_loaded_again(browser, opened, docks):
    screen = opened(docks())
    screen.click("#step")
    digest = screen.digest
    second = browser.new_page()
    answer = second.goto(screen.serving.link)
    assert answer.status == 403
    assert second.locator("h1").text_content() == "This page cannot be shown"
    assert "This link was used already" in second.locator("p").text_content()
    second.close()
    screen.page.reload()
    screen.ready()
    assert (screen.event, screen.digest) == (1, digest)
    screen.page.goto(screen.serving.link)  # in the window that it opened
    screen.ready()
    screen.click("#step")
    assert screen.event == 2


def test_link_in_another_sites_page_opens_and_can_be_loaded_again(opened, docks):
    for way in ("data", "server"):
        screen = opened(docks(), go=False)
        page = f"<!doctype html><title>mail</title><a href='{screen.serving.link}'>open</a>"
        with elsewhere(page) as address:
            screen.page.goto(f"data:text/html,{quote(page)}" if way == "data" else address)
            screen.page.click("a")
            screen.page.wait_for_url("http://127.0.0.1:*/**")
            screen.ready()
            screen.click("#step")
            digest = screen.digest
            screen.page.reload()
            screen.ready()
            assert (screen.event, screen.digest) == (1, digest), way
            screen.click("#step")
            assert screen.event == 2


def test_page_without_webgl_says_so_and_what_helps(opened, docks):
    screen = opened(docks(), go=False)
    screen.context.add_init_script(BLIND)
    screen.open()
    told = screen.text("#failure")
    assert screen.find("#failure").is_visible()
    assert "The crystal cannot be drawn: this browser has no WebGL2" in told
    assert "hardware acceleration" in told
    assert screen.text("#status") == "failed"


def test_page_whose_server_is_gone_says_so(opened, docks):
    screen = opened(docks())
    screen.click("#tab-draw")
    screen.click("#step")  # curves and the draw are still to be asked for
    screen.serving.close()
    screen.page.wait_for_timeout(300)
    screen.page.click("#step")
    screen.page.wait_for_selector("#status.lost")
    assert screen.text("#status") == "failed"
    assert "is the program still running?" in screen.text("#failure")
    screen.choose("#unit", "n")
    screen.page.evaluate("() => ucnp.why({ last: true })")
    screen.page.select_option("#colour", "visits")
    screen.page.wait_for_timeout(100)
    assert screen.find("#failure").is_visible()
    screen.forgive("ERR_CONNECTION_REFUSED|status of 503|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET")
