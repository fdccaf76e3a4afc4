"""A run of the driver: a stack, lives side by side until the time is over, and what is said of them."""

from __future__ import annotations

import asyncio
import inspect
import json
import re
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from activities.kernel.pool import open_pool
from activities.playbooks import FOLDER, read_playbooks
from domain.frame.calls import StepCall
from domain.journey.comparing import Difference
from gateway.cases import CaseClient
from gateway.client import PerennialClient
from gateway.connection import connect
from gateway.reconciling import Reconciler
from gateway.restoring import Restorer
from tests.driver import case_requests, journey_requests
from tests.driver.life import AGENT, BANDS, LEAD, MANAGER, Life, Party, World
from tests.driver.spoiling import spoilt
from tests.driver.tally import Tally, Watching
from tests.e2e.lives import settled
from workers.documents import OF_CASE, OF_JOURNEY
from workers.embedded.stack import EmbeddedStack
from workers.feeds.assets import import_assets
from workers.migrating import migrate
from workers.settings import Settings
from workers.wiring import build_activities, build_inbox, build_worker
from workflows.visibility import SEARCH_ATTRIBUTES

RULES = Path(__file__).with_name("invariants.sql")
SIDE_BY_SIDE = 3
RARE = (
    ("journey", "answer_offer"),
    ("journey", "answer_offer"),
    ("journey", "approve"),
    ("journey", "request_renewal"),
    ("journey", "reschedule_step"),
    ("journey", "sell_from_case"),
    ("case", "answer_csat"),
    ("case", "approve_claim"),
    ("case", "grant_goodwill"),
    ("case", "reject_claim"),
)
"""What often finds nothing to be about is tried more often."""
BY_BAND = ("grant_goodwill", "sell_from_case", "approve_claim", "reject_claim")
"""What our policy allows in some currencies alone."""
CLOSED_AT_ONCE = 0.3
"""How often a customer is closed on the first day and comes back: what comes then is compared, as no clock was moved before."""
BUSY = timedelta(minutes=5)
"""So long an answer may take on a machine that has other work."""
PATIENCE = 8
"""So often, some seconds each, an agenda that is otherwise is looked at again."""
WRONG = 2
"""So often each request is sent with something wrong in it as well."""


def requests() -> list[str]:
    """Every request that there is, a case's with `case.` before it."""
    return [*OF_JOURNEY, *(f"case.{name}" for name in OF_CASE)]


def steps(activities: Sequence[Any]) -> list[str]:
    """Every kind of step that journeys and cases take by themselves."""
    found = [a.__name__ for a in activities if any(p.annotation in (StepCall, "StepCall") for p in _parameters(a))]
    return [*sorted(found), "case_wake", "case_absorbed"]


def _parameters(activity: Any) -> list[inspect.Parameter]:
    return list(inspect.signature(activity).parameters.values())


def rules() -> dict[str, str]:
    """The invariants by name."""
    parts = re.split(r"^-- name: (.+)$", RULES.read_text(), flags=re.MULTILINE)[1:]
    return {name.strip(): sql.strip().rstrip(";") for name, sql in zip(parts[::2], parts[1::2], strict=True)}


@asynccontextmanager
async def running(tally: Tally, folder: Path) -> AsyncIterator[tuple[World, Settings]]:
    """A stack of its own with a worker whose activities are watched."""
    async with EmbeddedStack(folder, SEARCH_ATTRIBUTES, keep=False) as stack:
        await migrate(stack.postgres_dsn)
        settings = Settings.model_validate(
            {"database_url": stack.postgres_dsn, "smtp_host": stack.smtp_host, "smtp_port": stack.smtp_port}
        )
        temporal, pool = await connect(stack.temporal_address), await open_pool(stack.postgres_dsn)
        try:
            async with build_worker(temporal, pool, settings, interceptors=[Watching(tally)]):
                client, cases = PerennialClient(temporal, pool, within=BUSY), CaseClient(temporal, pool, within=BUSY)
                inbox = build_inbox(temporal, pool, settings)
                await staff(cases)
                yield World(temporal, pool, client, cases, inbox, tally), settings
        finally:
            await pool.close()


async def staff(cases: CaseClient) -> None:
    """Who answers cases: a team with its agents."""

    def person(staff_id: str) -> dict[str, str]:
        return {"staff_id": staff_id, "name": f"Person {staff_id}", "email": f"{staff_id.lower()}@seller.example"}

    team = {"lead": person(LEAD), "manager": person(MANAGER), "director": person("D-1")}
    await cases.put_team({"team": "service", "name": "Service", **team})
    for staff_id in (AGENT, "AG-2"):
        await cases.put_agent({"staff": person(staff_id), "team": "service"})


async def live(world: World, seed: int, number: int, deadline: float, *, closely: bool = False) -> Life:
    """One life: everything that can be asked once in an order of its own, right and wrong, with time that passes between.

    closely: agendas are compared after each act, so that the first that takes one from the facts is seen.
    """
    life = Life(world, seed, number)
    for party in life.parties:
        await life.ask(party, "place_order", life.order(party, await _present(life)))
    if life.random.random() < CLOSED_AT_ONCE:
        party = life.parties[1]
        await life.ask(party, "close_journey", {"reason": "a mistake"})
        party.closed = True
        await life.ask(party, "place_order", life.order(party, await _present(life)))
    acts: list[tuple[str, str]] = [("journey", name) for name in journey_requests.MAKERS]
    acts += [("case", name) for name in case_requests.MAKERS]
    acts += [("more", name) for name in ("import", "receive", "mail", "close", "year", "silence")]
    acts += list(RARE)
    life.random.shuffle(acts)
    for kind, name in acts:
        if time.monotonic() > deadline:
            break
        try:
            await _act(life, kind, name)
            if life.random.random() < 0.25:
                await life.later(life.random.choice(life.parties), life.random.choice([0.2, 1, 3, 8, 30]))
        except Exception as error:
            world.tally.failures.append(f"life {life.name}: {kind} {name}: {type(error).__name__}: {error}")
        if closely:
            await _compare(life, life.parties, f"after {kind} {name}")
    await _end(life)
    return life


async def _present(life: Life) -> Any:
    row = await life.one("select now() as at")
    return row["at"].replace(microsecond=0) if row else None


async def _act(life: Life, kind: str, name: str) -> None:
    # What is asked of a journey and what is asked of cases goes mostly to one of the two, so that holds do not stop all sales.
    first, second = life.parties
    party = life.random.choices([first, second], [1, 4] if kind == "case" else [4, 1])[0]
    if name in BY_BAND:
        party = next((one for one in life.parties if one.currency in BANDS), party)
    if party.closed and name != "place_order":
        await life.ask(party, "place_order", life.order(party, await life.now(party)))
    match kind:
        case "journey":
            request = await journey_requests.MAKERS[name](life, party)
            if request is None:
                return
            for _ in range(WRONG):
                await life.ask(party, name, spoilt(request, life.random))
            await life.ask(party, name, request)
            if name == "pause" and life.random.random() < 0.7:
                await life.ask(party, "resume", {})
        case "case":
            made = await case_requests.MAKERS[name](life, party)
            if made is None:
                return
            for _ in range(WRONG):
                await life.ask_case(made[0], name, spoilt(made[1], life.random))
            await life.ask_case(made[0], name, made[1])
        case _:
            await _more(life, party, name)


async def _more(life: Life, party: Party, name: str) -> None:
    match name:
        case "import":
            await import_asset(life, party)
        case "receive":
            await life.ask(party, "receive_assets", {"transfer_id": "T-nowhere/1"})
            await life.ask(party, "take_up_holdings", {"assets": -1})
        case "mail":
            await _mail(life, party)
        case "close":
            await _compare(life, [party], "before it is closed")
            for request in (spoilt({"reason": "they moved away"}, life.random), {"reason": "they moved away"}):
                if await life.ask(party, "close_journey", request) is not None:
                    party.closed = True
        case "silence":
            await life.use(party, 0.1)
            await life.later(party, 45)
        case _:
            await life.later(party, 200)


async def import_asset(life: Life, party: Party) -> None:
    """An asset of another system, by a file."""
    today = await life.today(party)
    document = {
        "asset_id": life.new_id("IA"),
        "account_id": party.account_id,
        "product": "SEATS",
        "currency": party.currency,
        "contract": {
            "contract_id": life.new_id("IK"),
            "term": {"start": f"{today.year}-01-01", "end": f"{today.year + 1}-12-31"},
        },
        "periods": [
            {
                "start": f"{today.year}-01-01",
                "end": f"{today.year + 1}-12-31",
                "quantity": 5,
                "unit_price": life.price(party),
            }
        ],
    }
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "assets.jsonl"
        file.write_text(json.dumps(document) + "\n")
        world = life.world
        report = await import_assets(
            world.client, world.pool, read_playbooks(FOLDER), file, rejects=Path(folder) / "rejects"
        )
    life.log.append(f"{party.account_id}: import of an asset: {report.imported} of {report.lines}, {report.reasons}")


async def _mail(life: Life, party: Party) -> None:
    """The customer writes a mail, and answers one."""
    message = EmailMessage()
    message["From"] = party.order["contacts"][0]["email"]
    message["To"] = "service@perennial.example"
    message["Subject"] = life.random.choice(["The till is down", "unsubscribe", "Re: your invoice"])
    message["Message-ID"] = f"<{life.new_id('m')}@customer.example>"
    message.set_content("Since nine o'clock nothing prints.")
    now = await life.now(party)
    message["Date"] = now
    await life.world.inbox.receive(bytes(message), now, recipients=["service@perennial.example"])
    await life.world.inbox.settle_new()
    life.log.append(f"{party.account_id}: wrote a mail")


async def _end(life: Life) -> None:
    """What is on its way arrives, what is set aside is looked at, and the agendas are those that follow from the facts."""
    for party in life.parties:
        if not party.closed:
            await life.ask(party, "resume", {})  # what a pause held back is done first
    for party in life.parties:
        try:
            await settled(life.world.pool, party.account_id)
        except AssertionError as error:
            life.world.tally.failures.append(f"life {life.name}: {error}")
    for what in await life.parked():
        life.world.tally.failures.append(f"life {life.name}: set aside and not provoked: {what}")
    for party in life.parties:
        lost = await Restorer(life.world.temporal, life.world.pool, _never).lost(party.account_id)
        life.world.tally.failures += [f"life {life.name}: {party.account_id}: {one.says}" for one in lost]
    await _compare(life, life.parties, "at the end")


async def _compare(life: Life, parties: Sequence[Party], when: str) -> None:
    """What journeys and cases have otherwise than the facts call for, once what is just being done is done."""
    world = life.world
    for party in parties:
        if party.closed or party.again:  # whose agenda follows from what lies ahead as well
            continue
        apart: Sequence[Difference] = ()
        for _ in range(PATIENCE):
            apart = (await Reconciler(world.client, world.cases, world.pool, _never).look(party.account_id)).found
            if world.tally.knows(party.account_id, [one.about for one in apart]):
                break
            await asyncio.sleep(1)
        for about, said in world.tally.compare(party.account_id, {one.about: one.says for one in apart}, when).items():
            life.log.append(f"{party.account_id}: {said}")
            life.log += [f"    {line}" for line in await on_record(life, party.account_id, about)]


async def on_record(life: Life, account_id: str, about: str) -> list[str]:
    """What was done and says something of a step or stage, the latest last."""
    rows = await life.rows(
        "select key, as_of, jsonb_build_object('drop', outcome->'drop', 'plan', jsonb_path_query_array(outcome->'plan',"
        " '$[*] ? (@.stage == $stage)', jsonb_build_object('stage', $2::text)), 'stage', outcome->'stages'->$2) as outcome"
        " from effect where account_id = $1 and (strpos(key, $2) > 0 or strpos(outcome::text, $2) > 0)"
        " order by as_of desc limit 8",
        account_id,
        about.partition("/")[0],
    )
    return [f"{row['as_of']:%Y-%m-%d %H:%M:%S} {row['key']}: {row['outcome']}" for row in reversed(rows)]


async def _never(name: str, given: dict[str, Any], key: str, later: timedelta) -> None:
    raise AssertionError(f"nothing is mended here: {name} under {key}")


async def broken_rules(world: World) -> list[str]:
    """What the tables break, the first rows of each rule."""
    found = []
    for name, sql in rules().items():
        rows = await world.pool.fetch(f"select * from ({sql}) broken limit 4")
        if rows:
            found.append(f"broken: {name}: {[dict(row) for row in rows]}")
    return found


async def drive(
    minutes: float,
    seed: int,
    *,
    scale: float | None = None,
    log: Path | None = None,
    closely: bool = False,
) -> tuple[str, list[str]]:
    """Lives until the time is over. scale: of what is wanted, by default minutes / 30; closely: agendas are compared after each
    act. Returns the table and what is wrong."""
    names, tally = requests(), Tally()
    began = time.monotonic()
    deadline = began + minutes * 60
    numbers = iter(range(1, 100_000))
    lives: list[Life] = []
    with tempfile.TemporaryDirectory(prefix="driver-") as folder:
        async with running(tally, Path(folder)) as (world, settings):
            kinds = steps(build_activities(world.pool, settings, world.temporal))

            async def one_after_the_other() -> None:
                while time.monotonic() < deadline:
                    before = len(tally.failures)
                    life = await live(world, seed, next(numbers), deadline, closely=closely)
                    lives.append(life)
                    if log is not None and len(tally.failures) > before:
                        log.write_text(history(tally, lives))

            await asyncio.gather(*(one_after_the_other() for _ in range(SIDE_BY_SIDE)))
            tally.accepted["receive_assets"] += tally.activities["receive_assets"]
            tally.accepted["take_up_holdings"] += tally.activities["take_up_holdings"]
            wrong = [*tally.failures, *await broken_rules(world)]
            wrong += [f"agenda of {who}: {says}" for who, said in tally.apart.items() for says in said.values()]
    wrong += tally.shortcomings(names, kinds, minutes / 30 if scale is None else scale)
    if log is not None:
        log.write_text(history(tally, lives))
    said = f"seed {seed}: {len(lives)} lives of two customers in {(time.monotonic() - began) / 60:.1f} minutes"
    return f"{said}\n\n{tally.table(names, kinds)}", wrong


def history(tally: Tally, lives: Sequence[Life]) -> str:
    """What broke, and what every customer did."""
    parts = [f"life {life.name}\n" + "\n".join(f"  {line}" for line in life.log) for life in lives]
    return "\n\n".join([*tally.failures, *parts])
