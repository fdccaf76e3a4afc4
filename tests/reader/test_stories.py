"""The reader's own stories, lived: every mail of them is true, none comes too near to another, and nobody reads the same words twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from activities.kernel.clock import present
from tests.conftest import Servers
from tests.reader.living import live, told_apart
from tests.reader.reading import read
from workers.rehearsal.letters import PostOffice
from workers.settings import Settings

STORIES = sorted((Path(__file__).parent / "data").glob("*.yaml"))


@pytest.mark.slow("stories")
@pytest.mark.parametrize("path", STORIES, ids=[path.stem for path in STORIES])
async def test_every_mail_of_a_story_is_true(on_engine: Servers, path: Path) -> None:
    stack = on_engine.stack
    post = PostOffice(on_engine.pool, stack.mailbox, stack.smtp_host, stack.smtp_port, Settings().mail_domain)
    story = told_apart(path, f"read-{path.stem[:4]}")
    lived = await live(on_engine.client, on_engine.pool, stack.mailbox, path.stem, story, present(), post)
    assert [str(finding) for finding in read(lived.facts, lived.letters).findings] == []
