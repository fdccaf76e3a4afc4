"""`python -m tests.reader`: customers live on one stack, and every mail that left is held against the facts."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from activities.kernel.clock import present
from tests.reader.letters import Letter
from tests.reader.living import Lived, kept, live, settled, told_apart
from tests.reader.reading import Report, read
from workers.cli.rehearse import rehearse_feed
from workers.cli.stack import Up, stack_up
from workers.rehearsal.letters import PostOffice
from workers.settings import Settings

OWN = Path(__file__).parent / "data"
SAMPLE = Path(__file__).parents[1] / "data" / "online_retail_sample.csv"


def _files(named: list[Path]) -> Iterator[Path]:
    for path in named:
        if path.is_dir():
            yield from sorted(each for each in path.iterdir() if each.suffix in (".yaml", ".yml", ".json"))
        else:
            yield path


async def _stories(up: Up, paths: list[Path], at_once: int) -> list[Lived | str]:
    """Each story lived beside the others; in its place what stood in the way of one that could not be."""
    places = asyncio.Semaphore(at_once)
    address = (up.stack.smtp_host, up.stack.smtp_port, Settings().mail_domain)
    post = PostOffice(up.pool, up.stack.mailbox, *address)

    async def one(number: int, path: Path) -> Lived | str:
        async with places:
            try:
                story = told_apart(path, f"r{number}")
                return await live(up.client, up.pool, up.stack.mailbox, path.stem, story, present(), post)
            except Exception as error:
                return f"{path.stem} could not be lived: {type(error).__name__}: {error}"

    return await asyncio.gather(*(one(number, path) for number, path in enumerate(paths)))


async def _feed(up: Up, arguments: argparse.Namespace) -> list[Lived]:
    """So many customers of a feed of orders, drawn by the seed."""
    before = {row["account_id"] for row in await up.pool.fetch("select account_id from account")}
    await rehearse_feed(up, arguments.file, arguments.feed, arguments.seed, arguments.months)
    found = []
    for row in await up.pool.fetch("select account_id from account order by account_id"):
        if (account := row["account_id"]) not in before:
            await settled(up.pool, account)
            found.append(await kept(up.pool, up.stack.mailbox, account, account))
    return found


def _keep(folder: Path, lived: Lived) -> None:
    """One customer's mails in the order in which they left, as a person reads them."""
    parts: dict[str, list[Letter]] = {}
    for letter in lived.letters:
        parts.setdefault(letter.message, []).append(letter)
    said = [
        f"{some[0].sent_at.astimezone(lived.facts.zone):%a %Y-%m-%d %H:%M}  to {some[0].to_email}  from {some[0].sender}"
        f"  ({', '.join(part.template for part in some)})\n"
        + "\n".join(f"Subject: {part.subject}\n\n{part.plain}\n" for part in some)
        for some in parts.values()
    ]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{lived.name}.txt").write_text(f"\n{'-' * 100}\n".join(said), encoding="utf-8")


async def _main(arguments: argparse.Namespace) -> int:
    began, failed = time.monotonic(), 0
    total, shown = Report(), 0
    paths = list(_files(arguments.stories))
    with tempfile.TemporaryDirectory() as folder:
        async with stack_up(Path(folder), keep=False, quiet=True) as up:
            lives: list[Lived | str] = [*await _stories(up, paths, arguments.at_once)]
            if arguments.feed:
                lives += await _feed(up, arguments)
    for lived in lives:
        if isinstance(lived, str):
            failed += 1
            print(lived)
            continue
        if arguments.keep:
            _keep(arguments.keep, lived)
        report = read(lived.facts, lived.letters)
        total.add(report)
        for finding in report.findings:
            shown += 1
            if shown <= arguments.show:
                print(f"{lived.name}: {finding}")
    print("\n".join(total.lines()))
    print(f"{failed} stories could not be lived; {time.monotonic() - began:.0f} s")
    return 1 if total.findings or failed else 0


def main() -> int:
    """Reads the arguments and runs; 0 if nothing untrue was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.reader", description=__doc__)
    parser.add_argument(
        "--stories", type=Path, nargs="+", default=[], help="story files or folders of them; own: tests/reader/data"
    )
    parser.add_argument("--feed", type=int, default=0, help="so many customers of a feed of orders")
    parser.add_argument("--file", type=Path, default=SAMPLE, help="the feed, CSV or JSON Lines")
    parser.add_argument("--seed", type=int, default=1, help="which customers of the feed")
    parser.add_argument("--months", type=int, default=12, help="how long they live")
    parser.add_argument("--at-once", type=int, default=6, help="stories beside each other")
    parser.add_argument("--show", type=int, default=200, help="how many findings are printed in full")
    parser.add_argument("--keep", type=Path, help="a folder for each customer's mails as text")
    arguments = parser.parse_args()
    if not arguments.feed and not arguments.stories:
        arguments.stories = [OWN]
    return asyncio.run(_main(arguments))


if __name__ == "__main__":
    sys.exit(main())
