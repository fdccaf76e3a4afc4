"""A provisioning service on loopback: a real HTTP server that can be fast, slow, down, gone, or wrong in many ways."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class Behaviour(StrEnum):
    """What the service does next. All but the first two answer nonsense or nothing."""

    RIGHT = "right"
    SLOW = "slow"
    """right, after `delay_seconds`"""
    DOWN = "down"
    """503"""
    HANGS_UP = "hangs_up"
    REFUSES = "refuses"
    """422"""
    REDIRECTS = "redirects"
    NOT_JSON = "not_json"
    HTML = "html"
    EMPTY = "empty"
    A_LIST = "a_list"
    WRONG_KEY = "wrong_key"
    NO_ITEMS = "no_items"
    MISSING_LINE = "missing_line"
    UNKNOWN_LINE = "unknown_line"
    LINE_TWICE = "line_twice"
    WRONG_STATUS = "wrong_status"
    WRONG_QUANTITY = "wrong_quantity"
    NO_REFERENCE = "no_reference"
    EXTRA_FIELD = "extra_field"


def _without_reference(answer: dict[str, Any]) -> None:
    del answer["items"][0]["reference"]


_SPOILS: dict[Behaviour, Callable[[dict[str, Any]], None]] = {
    Behaviour.WRONG_KEY: lambda answer: answer.update(request_key="somebody-else"),
    Behaviour.NO_ITEMS: lambda answer: answer.update(items=None),
    Behaviour.MISSING_LINE: lambda answer: answer.update(items=answer["items"][:-1]),
    Behaviour.UNKNOWN_LINE: lambda answer: answer["items"][0].update(line_id="line-99"),
    Behaviour.LINE_TWICE: lambda answer: answer.update(items=[*answer["items"], answer["items"][0]]),
    Behaviour.WRONG_STATUS: lambda answer: answer["items"][0].update(status="pending"),
    Behaviour.WRONG_QUANTITY: lambda answer: answer["items"][0].update(quantity=7),
    Behaviour.NO_REFERENCE: _without_reference,
    Behaviour.EXTRA_FIELD: lambda answer: answer.update(mood="fine"),
}
_BODIES: dict[Behaviour, bytes] = {
    Behaviour.NOT_JSON: b"OK, done!",
    Behaviour.HTML: b"<html><body>Please log in</body></html>",
    Behaviour.EMPTY: b"",
    Behaviour.A_LIST: b'[{"line_id": "line-1"}]',
}


class FakeProvisioning:
    """The service. A context manager; `url` stays the same while it stops and starts.

    `requests` counts how often it was asked, by request key; `effects` how often it really set something up, which a
    service that keeps its word does once for each key.
    """

    def __init__(self, behaviour: Behaviour = Behaviour.RIGHT, delay_seconds: float = 0.2) -> None:
        self.behaviour = behaviour
        self.delay_seconds = delay_seconds
        self.requests: Counter[str] = Counter()
        self.effects: Counter[str] = Counter()
        self.last_request: dict[str, Any] = {}
        self.last_headers: dict[str, str] = {}
        self._lock = threading.Lock()
        self._port = 0
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None
        self._woken = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/provision"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen, on the same port as before."""
        self._woken.clear()
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), self._handler())
        self._server.daemon_threads = True
        self._port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop listening: from now on connections are refused."""
        self._woken.set()
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
            self._server = None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                service.last_headers = dict(self.headers.items())
                status, body = service._answer(request)
                if status == 0:
                    return  # the connection is closed without a word
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                if status == 302:
                    self.send_header("Location", "/elsewhere")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing on standard error."""

        return Handler

    def _answer(self, request: dict[str, Any]) -> tuple[int, bytes]:
        behaviour = self.behaviour
        key = request["request_key"]
        with self._lock:
            self.last_request = request
            self.requests[key] += 1
            refused = {Behaviour.DOWN: 503, Behaviour.HANGS_UP: 0, Behaviour.REFUSES: 422, Behaviour.REDIRECTS: 302}
            if behaviour in refused:
                return refused[behaviour], b"no"
            self.effects[key] = 1  # the same key again changes nothing
        if behaviour is Behaviour.SLOW:
            self._woken.wait(self.delay_seconds)
        if behaviour in _BODIES:
            return 200, _BODIES[behaviour]
        answer: dict[str, Any] = {
            "request_key": key,
            "items": [
                {"line_id": item["line_id"], "status": "active", "reference": f"svc-{item['line_id']}"}
                for item in request["items"]
            ],
        }
        if behaviour in _SPOILS:
            _SPOILS[behaviour](answer)
        return 200, json.dumps(answer).encode("utf-8")
