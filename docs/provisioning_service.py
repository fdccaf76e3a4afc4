"""A provisioning service as small as one can be: `python docs/provisioning_service.py 8080`, then PERENNIAL_PROVISIONING_URL.

What was asked under a key is set up once; asked again, it gets the first answer again.
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from typing import Any, ClassVar


class Handler(BaseHTTPRequestHandler):
    """Keeps its answers in memory; a real service keeps them where it keeps what it set up."""

    answers: ClassVar[dict[str, dict[str, Any]]] = {}
    lock: ClassVar[Lock] = Lock()

    def do_POST(self) -> None:
        """One request: everything of one order."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.lock:
            answer = self.answers.setdefault(asked["request_key"], set_up(asked))
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Says nothing: the keys stand in Perennial's journal."""


def set_up(asked: dict[str, Any]) -> dict[str, Any]:
    """Each line, active, with our own name for it."""
    items = [
        {"line_id": item["line_id"], "status": "active", "reference": f"tenant-{asked['account_id']}-{item['line_id']}"}
        for item in asked["items"]
    ]
    return {"request_key": asked["request_key"], "items": items}


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
