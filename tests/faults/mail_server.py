"""The embedded mail server in a process of its own: `python -m tests.faults.mail_server FOLDER SMTP_PORT WEB_PORT`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.e2e.refusing import refused
from workers.embedded.mailbox_server import EmbeddedMailbox

READY = "mails are taken"


async def main(folder: Path, smtp_port: int, web_port: int) -> None:
    """Takes mails until it is ended."""
    async with EmbeddedMailbox(folder, smtp_port, web_port, reject=refused):
        print(READY, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
