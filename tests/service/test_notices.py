import base64
import json
import socketserver
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from rca.service.configuration import Notice
from rca.service.notices import Undelivered, content, send, signature

VERDICT = {"status": "explained", "summary": "Because <it> & that."}
OUTCOME = json.dumps({"title": "Cards\r\nBcc: x@example.org", "digest": "d", "verdict": VERDICT, "brief": "# First\n"})
OWED = {"case_id": "desk-7", "count": 1, "channel": 0, "outcome": OUTCOME, "reason": None, "gone": 0, "failed": 0}
SAID = content(OWED, "https://reports.example/{case}/report.html")


@pytest.fixture
def web():
    """A server that keeps what is posted; `/elsewhere` sends elsewhere, `/down` is down."""
    got = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            got.append((self.path, dict(self.headers), self.rfile.read(int(self.headers["content-length"]))))
            self.send_response({"/elsewhere": 302, "/down": 500}.get(self.path, 200))
            self.send_header("Location", "/other")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", got
    server.shutdown()
    server.server_close()


@pytest.fixture
def mail():
    """A server of mail that keeps what it is sent."""
    got = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            self.wfile.write(b"220 here\r\n")
            while line := self.rfile.readline():
                word = line[:4].upper()
                if word == b"DATA":
                    self.wfile.write(b"354 go\r\n")
                    got.append(b"".join(iter(self.rfile.readline, b".\r\n")))
                self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")

    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], got
        server.shutdown()


def test_a_webhook_is_signed_as_a_standard_webhook(web, monkeypatch):
    address, got = web
    monkeypatch.setenv("NOTICE", "whsec_" + base64.b64encode(b"key").decode())
    send(Notice(kind="webhook", url=f"{address}/x", secret={"env": "NOTICE"}), SAID, name="desk-7.1.0")
    ((_, headers, body),) = got
    headers = {name.lower(): value for name, value in headers.items()}
    assert headers["webhook-id"] == "desk-7.1.0"
    assert headers["webhook-signature"] == signature("whsec_" + base64.b64encode(b"key").decode(), headers, body)
    told = json.loads(body)
    assert (told["report"], told["verdict"]) == ("https://reports.example/desk-7/report.html", VERDICT)
    assert told["brief"]


def test_slack_is_sent_nothing_that_it_would_obey(web):
    address, got = web
    send(Notice(kind="slack", url=f"{address}/x"), SAID, name="n")
    text = json.loads(got[0][2])["text"]
    assert "Because &lt;it&gt; &amp; that." in text


def test_a_mail_has_one_subject_and_no_header_of_an_incident(mail):
    port, got = mail
    how = {"sender": "rca@example.org", "to": ("ml@example.org",), "starttls": False}
    send(Notice(kind="smtp", server="127.0.0.1", port=port, **how), SAID, name="n")
    head = got[0].partition(b"\r\n\r\n")[0].lower()
    assert b"subject: cards bcc: x@example.org: explained" in head
    assert not [line for line in head.splitlines() if line.startswith(b"bcc")]


@pytest.mark.parametrize("path", ["/elsewhere", "/down"])
def test_who_does_not_take_it_was_not_told_and_nobody_is_followed_elsewhere(web, path):
    address, got = web
    with pytest.raises(Undelivered, match=r"answered (302|500)"):
        send(Notice(kind="webhook", url=f"{address}{path}"), SAID, name="n")
    assert [one[0] for one in got] == [path]


@pytest.mark.parametrize("url", ["file:/etc/passwd", "http://127.0.0.1:1/secret-part", "no address"])
def test_what_went_wrong_names_no_address(url):
    with pytest.raises(Undelivered) as error:
        send(Notice(kind="webhook", url=url), SAID, name="n")
    assert "secret-part" not in str(error.value)


def test_a_dead_letter_is_told_with_its_reason():
    assert content({**OWED, "gone": 1, "reason": "no data"}, None) == {
        "type": "rca.dead", "case": "desk-7", "reason": "no data",
    }  # fmt: skip
