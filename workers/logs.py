"""Log lines of a process: their form, and where they go. What a worker does is told by `gateway.logged`."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

from gateway.logged import FIELDS, LOG
from workers.settings import LogForm


class Lines(logging.Formatter):
    """Every record as one line. What another library logs is its message and, of an error, its kind."""

    def __init__(self, form: LogForm) -> None:
        super().__init__()
        self._form = form

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            **getattr(record, FIELDS, {"logger": record.name, "says": record.getMessage()}),
        }
        if record.exc_info and record.exc_info[0]:
            fields["error"] = record.exc_info[0].__name__
        if self._form is LogForm.JSON:
            return json.dumps(fields, ensure_ascii=False)
        return " ".join(f"{name}={_value(value)}" for name, value in fields.items())


def _value(value: Any) -> str:
    text = str(value)
    return text if text and not set(text) & set(' "=\n') else json.dumps(text, ensure_ascii=False)


def set_up(form: LogForm, stream: TextIO = sys.stderr) -> None:
    """Log lines of this process go to `stream`, or nowhere."""
    root = logging.getLogger()
    for old in [one for one in root.handlers if isinstance(one.formatter, Lines)]:
        root.removeHandler(old)
    handler = logging.NullHandler() if form is LogForm.OFF else logging.StreamHandler(stream)
    handler.setFormatter(Lines(form))
    root.addHandler(handler)
    LOG.setLevel(logging.WARNING if form is LogForm.OFF else logging.INFO)
