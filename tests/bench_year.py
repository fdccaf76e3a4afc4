"""What the demo's year costs, lived on a stack of its own: `python -m tests.bench_year`. Prints; asserts nothing."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.table import Table
from temporalio.api.enums.v1 import EventType

from activities.kernel.clock import present
from domain.kernel.ids import journey_id
from tests.bench import billable, histories_of
from workers.cli.stack import Up, stack_up
from workers.rehearsal.letters import PostOffice
from workers.rehearsal.life import Life
from workers.rehearsal.story import DEFAULT_STORY, read_story, shifted, weeks_to_shift
from workers.settings import Settings


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


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="perennial-bench-year-") as place:
        kinds = asyncio.run(demo_year(Path(place)))
    table = Table("billable", "events")
    for name, count in kinds.most_common():
        table.add_row(name, str(count))
    table.add_row("actions of the demo's year", str(kinds.total()))
    Console().print(table)
