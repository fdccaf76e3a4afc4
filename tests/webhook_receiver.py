"""A webhook endpoint on loopback: a real HTTP server that checks signatures on its own account and can fail first."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from activities.kernel.clock import present

TOLERANCE_SECONDS = 300


@dataclass(frozen=True)
class Received:
    """One attempt as it came in."""

    id: str
    timestamp: int
    signature: str
    genuine: bool
    body: dict[str, Any]
    status: int


class Receiver:
    """Answers with the statuses of `plan`, one for each attempt (for those that tell an event of the type `of` alone, if it is given),
    then with 204; `slow` delays an answer by so many seconds."""

    def __init__(
        self, secret: str, plan: list[int] | None = None, slow: dict[int, float] | None = None, of: str = ""
    ) -> None:
        self.secret, self.of = secret, of
        self.plan = list(plan or [])
        self.slow = slow or {}
        self.attempts: list[Received] = []
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["content-length"]))
                number, status = receiver._take(dict(self.headers.items()), content)
                time.sleep(receiver.slow.get(number, 0))
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Silence."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/hooks"

    def taken(self) -> list[Received]:
        """The attempts that were answered well."""
        return [attempt for attempt in self.attempts if attempt.status < 300]

    def _take(self, headers: dict[str, str], content: bytes) -> tuple[int, int]:
        found = {name.lower(): value for name, value in headers.items()}
        with self._lock:
            body = json.loads(content)
            status = self.plan.pop(0) if self.plan and self.of in ("", body.get("type")) else 204
            self.attempts.append(
                Received(
                    found["webhook-id"],
                    int(found["webhook-timestamp"]),
                    found["webhook-signature"],
                    self._genuine(found, content),
                    body,
                    status,
                )
            )
            return len(self.attempts), status

    def _genuine(self, headers: dict[str, str], content: bytes) -> bool:
        """The check that the scheme asks of receivers, written from its description alone."""
        key = base64.b64decode(self.secret.split("_", 1)[1])
        signed = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), content])
        expected = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
        given = [
            value
            for version, _, value in (s.partition(",") for s in headers["webhook-signature"].split())
            if version == "v1"
        ]
        fresh = abs(present().timestamp() - int(headers["webhook-timestamp"])) < TOLERANCE_SECONDS
        return fresh and any(hmac.compare_digest(expected, value) for value in given)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
