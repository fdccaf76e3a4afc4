"""What was foreseen of the demo's customer beside what then happened: `python -m tests.foreseen [--days 0,90,180]`.

The customer of the story answers, buys, complains and changes; what is foreseen assumes that nobody does. The nearer the end and the
quieter the life, the more of it comes true.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from activities.journey import reports
from activities.kernel.clock import present
from domain.kernel.calendar import local_day
from workers.cli.common import console
from workers.cli.output import table
from workers.cli.stack import stack_up
from workers.foresight.living import Subject, foresee
from workers.rehearsal.letters import PostOffice
from workers.rehearsal.life import Life
from workers.rehearsal.story import DEFAULT_STORY, read_story, shifted, weeks_to_shift
from workers.settings import Settings

_STEP = re.compile(r"(?!reschedule_pace)[a-z]+(:[^/]+)?/")
_DAYS = (0, 90, 180, 270)


@dataclass
class Watched(Life):
    """A life that is foreseen to its end on some of its days."""

    days: tuple[int, ...] = _DAYS
    foreseen: dict[int, dict[str, Any]] = field(default_factory=dict)

    async def _show(self, now: datetime) -> None:
        await super()._show(now)
        for day in self.days:
            if day not in self.foreseen and now >= self.start + timedelta(days=day):
                subject = Subject(self.account_id, self.zone, now, self.end)
                found = await foresee(self.pool, Settings(), subject, lambda line: None)
                self.foreseen[day] = {**found, "now": now}


def steps(found: Mapping[str, Any]) -> dict[str, str]:
    """The steps of what was foreseen, each with its local day."""
    return {step["step"]: step["on"] for step in found["steps"] if _STEP.match(step["step"])}


async def main(days: tuple[int, ...]) -> None:
    """Prints a line for each day on which it was foreseen."""
    story = read_story(DEFAULT_STORY)
    weeks = weeks_to_shift(story.read_orders(), present())
    story = story.having(orders=[shifted(document, weeks) for document in story.orders])
    documents = sorted(story.orders, key=lambda document: datetime.fromisoformat(document["activated_at"]))
    with tempfile.TemporaryDirectory() as folder:
        async with stack_up(Path(folder) / "stack", keep=False, quiet=True) as up:
            post = PostOffice(up.pool, up.stack.mailbox, up.stack.smtp_host, up.stack.smtp_port, Settings().mail_domain)
            told = (up.client, up.pool, story, story.read_orders(), documents, lambda moment: None, post)
            life = Watched(*told, days=days)
            await life.live()
            async with up.pool.acquire() as connection:
                journal = await reports.journal_of(connection, life.account_id, 0)
                billed = await reports.billed_of(connection, life.account_id)
    prefix = f"journey:{life.account_id}/"
    rows = []
    for day, found in life.foreseen.items():
        said = steps(found)
        came = {
            row["key"].removeprefix(prefix): local_day(row["at"], life.zone).isoformat()
            for row in journal
            if row["at"] > found["now"] and _STEP.match(row["key"].removeprefix(prefix))
        }
        as_said = sum(came.get(key) == on for key, on in said.items())
        later = sum(key in came and came[key] != on for key, on in said.items())
        documents_said = {(row["id"], row["total"]) for row in found["documents"]}
        documents_came = {(row["id"], row["total"]) for row in billed}
        in_full = f"{len(documents_said & documents_came)} of {len(documents_said)}"
        seconds = found["seconds"]
        counts = (len(said), as_said, later, len(said) - as_said - later, len(came.keys() - said.keys()))
        rows.append((day, *counts, in_full, f"{seconds['copy']} + {seconds['life']}"))
    names = (
        ">day",
        ">foreseen",
        ">on the day",
        ">another day",
        ">never",
        ">unforeseen",
        "documents in full",
        "seconds",
    )
    console.print(
        table(names, rows, title=f"{life.orders[0].account.name}, foreseen to the end of {story.months} months")
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", default=",".join(map(str, _DAYS)), help="days of the life on which it is foreseen")
    asyncio.run(main(tuple(map(int, parser.parse_args().days.split(",")))))
