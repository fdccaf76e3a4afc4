"""Many stories lived on a stack and judged, with a table of what came of them."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from activities.kernel.pool import Pool
from gateway.client import PerennialClient
from tests.accountant.compare import differences, judged, surprises, wrong_taxes
from tests.accountant.doors import Lived, demonstrated, live, read_demonstration, read_documents
from tests.accountant.story import Story

DEMO_TAKES = 300
"""seconds after which a demonstration is given up"""


@dataclass
class Judgement:
    """A story and everything in which product and accountant differ about it."""

    story: Story
    lived: Lived | None
    differences: list[str]

    @property
    def agrees(self) -> bool:
        """True if there is no difference."""
        return not self.differences


@dataclass
class Table:
    """What was lived, by what it had in it."""

    stories: int = 0
    agreed: int = 0
    documents: int = 0
    acts: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)

    def add(self, judgement: Judgement) -> None:
        """Counts a story."""
        self.stories += 1
        self.agreed += judgement.agrees
        for kind in (judgement.story.currency, judgement.story.zone):
            self.kinds[kind] += 1
        if judgement.lived is None:
            return
        self.documents += len(judgement.lived.documents)
        for done in judgement.lived.done:
            name = done.act.get("ask") or ("order" if "order" in done.act else "other")
            (self.refused if done.refused else self.acts)[name] += 1

    def lines(self) -> list[str]:
        """The table, for people."""
        rows = [f"{self.stories} stories, {self.agreed} agree in all their {self.documents} documents and days"]
        rows += [f"  {name:<18}{self.acts[name]:>7} done{self.refused[name]:>7} refused" for name in sorted(self.acts)]
        rows += ["  " + ", ".join(f"{kind} {count}" for kind, count in sorted(self.kinds.items()))]
        return rows


async def judge(client: PerennialClient, pool: Pool, story: Story) -> Judgement:
    """Lives one story through the doors and compares. A written story also says what is refused, a random one does not."""
    lived = None
    try:
        lived = await live(client, pool, story)
        async with pool.acquire() as connection:
            lived.documents = await read_documents(connection, [each["account_id"] for each in story.accounts])
        unforeseen = [] if story.by_dice else surprises(lived)
        books = judged(lived)
        return Judgement(story, lived, unforeseen + differences(lived, books) + wrong_taxes(lived, books))
    except Exception as error:
        # A story that cannot be lived, or whose acts the books do not allow, is a difference like any other.
        return Judgement(story, lived, [f"{type(error).__name__}: {error}"])


async def judge_all(client: PerennialClient, pool: Pool, stories: Iterable[Story], at_once: int = 6) -> list[Judgement]:
    """Lives stories beside each other, `at_once` at a time."""
    places = asyncio.Semaphore(at_once)

    async def one(story: Story) -> Judgement:
        async with places:
            return await judge(client, pool, story)

    return list(await asyncio.gather(*(one(story) for story in stories)))


async def demonstrate(judgement: Judgement) -> list[str]:
    """Lives a story of one customer once more by `perennial demo`, and compares what that prints."""
    lived = judgement.lived
    if lived is None or len(judgement.story.accounts) > 1:
        return []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "story.json"
        path.write_text(json.dumps(demonstrated(lived)))
        data = Path(folder) / "demo"
        arguments = ("demo", "--order", str(path), "--exit", "--json", "--data", str(data))
        process = await asyncio.create_subprocess_exec(
            "perennial", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        try:
            out, err = await asyncio.wait_for(process.communicate(), DEMO_TAKES)
        except TimeoutError:
            process.terminate()
            await process.wait()
            return [f"perennial demo: no end within {DEMO_TAKES} s"]
    if process.returncode:
        return [f"perennial demo: {err.decode()[-300:]}"]
    summary: dict[str, Any] = json.loads(out)
    shown = Lived(lived.story, lived.done, lived.last_day, read_demonstration(lived, summary))
    return differences(shown, judged(shown))


def reproduction(judgement: Judgement, seed: int | None, after: date, options: str = "") -> list[str]:
    """What is needed to see a difference again. `options`: those of the command line that say how it was made and lived."""
    story = judgement.story
    lines = [f"story {story.name}, begins {story.first}, {story.zone}, {story.currency}"]
    if seed is not None:
        number = story.name.split("/")[1]
        lines.append(f"  python -m tests.accountant {options}--seed {seed} --only {number} --after {after}")
    lines += [f"  {difference}" for difference in judgement.differences[:12]]
    for done in judgement.lived.done if judgement.lived else ():
        said = json.dumps(done.act.get("request") or done.act.get("order") or done.act, ensure_ascii=False)
        lines.append(
            f"    {done.day} {done.act.get('ask') or 'order'} {said}" + (f" -> {done.refused}" if done.refused else "")
        )
    return lines
