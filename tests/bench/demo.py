"""What the demo's year costs in billable actions."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

from temporalio.api.enums.v1 import EventType

from activities.kernel.clock import present
from domain.kernel.ids import journey_id
from tests.bench.history import billable, histories_of
from tests.bench.rows import Row, Size
from workers.cli.stack import Up, stack_up
from workers.rehearsal.letters import PostOffice
from workers.rehearsal.life import Life
from workers.rehearsal.story import DEFAULT_STORY, read_story, shifted, weeks_to_shift
from workers.settings import Settings


async def rows(_: Size) -> AsyncIterator[Row]:
    """Its actions, by kind of event."""
    with tempfile.TemporaryDirectory(prefix="perennial-bench-") as place:
        kinds = await demo_year(Path(place))
    said = ", ".join(f"{name} {count}" for name, count in kinds.most_common())
    yield Row("actions of the demo's year", kinds.total(), "", 390, how=said)


async def demo_year(folder: Path) -> Counter[str]:
    """Billable actions of the demo's life, its journey's and its cases', by kind of event. A signal counts where it arrives."""
    async with stack_up(folder) as up:
        life = await _lived(up)
        cases = await up.pool.fetch("select case_id from service_case where account_id = $1", life.account_id)
        found: Counter[str] = Counter()
        for workflow_id in (journey_id(life.account_id), *(f"case-{row['case_id']}" for row in cases)):
            for run in await histories_of(up.client.temporal, workflow_id):
                for event in run:
                    name = EventType.Name(event.event_type).removeprefix("EVENT_TYPE_").lower()
                    found.update({name: count} if (count := billable(event)) else {})
        return found


async def _lived(up: Up) -> Life:
    story = read_story(DEFAULT_STORY)
    weeks = weeks_to_shift(story.read_orders(), present())
    story = story.having(orders=[shifted(document, weeks) for document in story.orders])
    post = PostOffice(up.pool, up.stack.mailbox, up.stack.smtp_host, up.stack.smtp_port, Settings().mail_domain)
    life = Life(up.client, up.pool, story, story.read_orders(), list(story.orders), lambda moment: None, post)
    await life.live()
    await asyncio.sleep(2)  # the server's list of workflows follows a moment later
    return life
