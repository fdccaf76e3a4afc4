"""`perennial demo`: a customer's life before one's eyes, on a stack of its own."""

from __future__ import annotations

import secrets
import shutil
import time
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.live import Live
from rich.markup import escape
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table

from activities.frame.session_rows import begin_session
from activities.kernel.clock import present
from activities.playbooks import FOLDER as PLAYBOOKS
from activities.playbooks import read_playbooks
from domain.frame.keys import Word
from domain.kernel.calendar import local_day
from gateway.here import DEMO_DIR, running_on
from workers.cli.common import UserError, console, progress_console, until_stopped, waited
from workers.cli.output import print_json
from workers.cli.rehearse import rehearse_feed, show_feed
from workers.cli.stack import Up, show_addresses, stack_up
from workers.rehearsal.letters import PostOffice
from workers.rehearsal.life import Life, Moment
from workers.rehearsal.story import (
    DEFAULT_STORY,
    MOST_MONTHS,
    Story,
    check_story,
    read_story,
    shifted,
    weeks_to_shift,
)
from workers.rehearsal.summary import show, summarise
from workers.settings import Settings

_COLOURS = {
    "onboarding": "cyan",
    "adoption": "green",
    "expansion": "magenta",
    "renewal": "yellow",
    "reorder": "blue",
    "relationship": "white",
}


class Stage:
    """What is on the screen while a life is lived: the journal as it grows, and below it where the customer stands."""

    def __init__(self, name: str, zone: str) -> None:
        self._name = name
        self._zone = zone
        self._steps = 0
        self._live = Live(console=progress_console, refresh_per_second=12, transient=True)

    def __enter__(self) -> Stage:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, moment: Moment) -> None:
        """The new lines of the journal, and the state of things."""
        for line in moment.new_lines:
            if line["kind"] == "skipped":
                continue
            self._steps += 1
            kind = Word.parse(line["stage"]).word
            colour = _COLOURS.get(kind, "white")
            progress_console.print(
                f"[dim]{local_day(line['at'], self._zone)}[/dim]  [{colour}]{kind:<12}[/{colour}] {escape(line['title'])}"
            )
        for said in moment.refused:
            progress_console.print(
                f"[dim]{local_day(moment.at, self._zone)}[/dim]  [red]{'refused':<12}[/red] {escape(said)}"
            )
        table = Table.grid(padding=(0, 2))
        table.add_row("virtual date", f"[bold]{moment.at:%a %Y-%m-%d}[/bold]", ProgressBar(1.0, moment.share_done, 30))
        table.add_row("stages", ", ".join(moment.stages) or "none open")
        table.add_row("steps", str(self._steps), f"{moment.mails} mails")
        table.add_row("health", moment.health)
        self._live.update(Panel(table, title=escape(self._name), title_align="left", expand=False))


async def _live_story(up: Up, story: Story, timings: dict[str, float]) -> dict[str, Any]:
    orders = story.read_orders()
    weeks = weeks_to_shift(orders, present())
    if weeks:
        progress_console.print(f"The orders lie in the past: everything is moved ahead by {weeks} weeks.")
        story = story.having(orders=[shifted(document, weeks) for document in story.orders])
        orders = story.read_orders()
    documents = sorted(story.orders, key=lambda document: datetime.fromisoformat(document["activated_at"]))
    began = time.monotonic()
    with Stage(orders[0].account.name, orders[0].account.time_zone) as stage:
        place = (up.stack.smtp_host, up.stack.smtp_port, Settings().mail_domain)
        post = PostOffice(up.pool, up.stack.mailbox, *place)
        life = Life(up.client, up.pool, story, orders, documents, stage.show, post, up.attending)
        await life.live()
    timings["life"] = time.monotonic() - began
    return await summarise(up, life, timings)


async def _show_way_in(up: Up, story: Story) -> None:
    """The customer's page, as their rep sees it: a link that signs in once."""
    account = story.read_orders()[0].account
    ticket = secrets.token_urlsafe(32)
    async with up.pool.acquire() as connection:
        await begin_session(connection, ticket, account.owner.staff_id, present())
    place = f"{up.running.gateway_url}/sign-in/ticket/{ticket}?back=/customers/{quote(account.account_id, safe='')}"
    progress_console.print(
        f"{account.name} in the console, signed in as {account.owner.name} (good once, for an hour):"
    )
    progress_console.print(f"  [link={place}]{place}[/link]", soft_wrap=True, highlight=False)


def _make_room(data: Path) -> None:
    """A demo begins with nothing: what an earlier one left in its folder goes."""
    if running_on(data):
        raise UserError(f"another demo runs on {data}; end it with Ctrl-C, or give this one a folder with --data")
    if data.exists() and not (data / MARK).exists() and any(data.iterdir()):
        raise UserError(f"{data} holds something else than a demo; give an empty folder with --data")
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    (data / MARK).write_text("This folder belongs to `perennial demo`, which empties it when it starts.\n")


MARK = "this-is-a-demo.txt"
FEED_MONTHS = 12


app = typer.Typer()


@app.command()
@waited
async def demo(
    order: Annotated[
        Path | None,
        typer.Option(help="An order, or orders with their story (YAML or JSON), instead of the usual one."),
    ] = None,
    orders: Annotated[Path | None, typer.Option(help="A feed of real orders to rehearse with.")] = None,
    customers: Annotated[int, typer.Option(min=1, help="How many of the feed's customers.")] = 200,
    seed: Annotated[int, typer.Option(help="Which of them.")] = 1,
    months: Annotated[int | None, typer.Option(min=1, max=MOST_MONTHS, help="How long each customer lives.")] = None,
    exit: Annotated[bool, typer.Option("--exit", help="End when the life is lived.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The summary as one JSON object.")] = False,
    data: Annotated[Path, typer.Option(help="Where the demo keeps its stack; emptied first.")] = DEMO_DIR,
) -> None:
    """A customer's life before your eyes: 14 months in some seconds, on the real engine."""
    if orders is not None and order is not None:
        raise UserError("give either --order (one customer's orders) or --orders (a feed), not both")
    if orders is not None and not orders.is_file():
        raise UserError(f"no file {orders}; --orders takes a feed of orders, CSV or JSON Lines")
    story = read_story(order or DEFAULT_STORY)
    check_story(story, read_playbooks(Settings().playbooks or PLAYBOOKS))
    if months is not None:
        story = story.having(months=months, until=None)
    _make_room(data)
    began = time.monotonic()
    async with stack_up(data) as up:
        if orders is not None:
            summary = await rehearse_feed(up, orders, customers, seed, months or FEED_MONTHS)
        else:
            summary = await _live_story(up, story, {"stack": time.monotonic() - began})
        if as_json:
            print_json(summary)
        else:
            (show_feed if orders else show)(summary, console)
        if not exit:
            show_addresses(up.running)
            if not orders:
                await _show_way_in(up, story)
            progress_console.print("The stack stays up to be looked at; Ctrl-C ends it.")
            await until_stopped()
