"""What `perennial up` prints can be copied: no address is cut at the edge of a narrow screen."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from gateway.here import Running
from workers.cli import stack


def test_addresses_are_printed_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr(stack, "progress_console", Console(file=written, width=60))
    running = Running(
        pid=1,
        temporal_address="127.0.0.1:7234",
        database_url=f"postgresql://perennial:{'x' * 40}@127.0.0.1:15433/perennial",
        smtp_host="127.0.0.1",
        smtp_port=1026,
        ui_url="http://127.0.0.1:8234",
        mailbox_url="http://127.0.0.1:8026",
    )
    stack.show_addresses(running)
    lines = written.getvalue().splitlines()
    for place in (
        running.temporal_address,
        running.database_url,
        "127.0.0.1:1026",
        running.ui_url,
        running.mailbox_url,
    ):
        assert any(line.split()[-1] == place for line in lines), lines
