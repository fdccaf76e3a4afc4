"""Two customers in memory: acts in an order of their own, and after each of them their agendas against the facts."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random

from activities.journey.agenda_facts import load_facts
from activities.service import case_rows
from domain.journey.comparing import Difference, compare, compare_case
from domain.journey.planning import agenda
from domain.kernel.ids import journey_id
from tests.driver import case_requests, journey_requests
from tests.driver.in_memory.server import Server
from tests.driver.life import ZONES, Life, Party, World
from tests.driver.making import Made
from tests.driver.running import import_asset, on_record
from tests.driver.spoiling import spoilt

BEGINNING = datetime(2026, 11, 1, tzinfo=UTC)
BEGINNINGS = 120
"""Lives begin on one of so many days."""
ELSEWHERE = ("Pacific/Auckland", "America/Los_Angeles", "UTC")
SEVENTH = 0.15
"""So often an agenda is compared with the facts between two acts, after something was done by itself."""
WRONG = 0.15
"""So often a request is sent with something wrong in it as well."""
MORE = ("close", "silence", "onboard", "import", "year", "year", "move", "ahead", "soon")


async def live(world: World, server: Server, seed: int, number: int) -> Life:
    """One life. It ends at the first difference: what comes after that follows from it."""
    chance = Random(f"{seed}:{number}:server")
    start = BEGINNING + timedelta(minutes=chance.randrange(BEGINNINGS * 24 * 60))
    await server.begin_anew(start, chance)
    life = Life(world, seed, number)
    seen = Seen(life, Random(f"{seed}:{number}:looks"))
    server.watch = seen.look_now_and_then
    for party in life.parties:
        await life.ask(party, "place_order", life.order(party, start))
    for kind, name in _acts(life):
        try:
            await _act(life, kind, name)
            if life.random.random() < 0.35:
                await life.later(life.random.choice(life.parties), life.random.choice([0.2, 0.5, 1, 3, 8, 30]))
            await seen.look(f"after {kind} {name}")
        except Exception as error:
            says = "".join(traceback.format_exception(error))[-3000:]
            world.tally.failures.append(f"life {life.name}: {kind} {name}: {says}")
            break
        if seen.differences:
            break
    server.watch = None
    await _end(life, server, seen)
    return life


class Seen:
    """What was seen of a life's agendas."""

    def __init__(self, life: Life, chance: Random) -> None:
        self._life = life
        self._chance = chance
        self.differences = 0

    async def look_now_and_then(self, workflow_id: str) -> None:
        """Looks at a journey to which something has just happened, each seventh time."""
        if workflow_id.startswith(journey_id("")) and self._chance.random() < SEVENTH:
            await self._look(workflow_id.removeprefix(journey_id("")), "on the way")

    async def look(self, when: str) -> None:
        """Looks at all agendas."""
        for party in self._life.parties:
            await self._look(party.account_id, when)

    async def _look(self, account_id: str, when: str) -> None:
        life = self._life
        apart = {one.about: one.says for one in await differences(life.world, account_id)}
        for about, says in life.world.tally.compare(account_id, apart, when).items():
            self.differences += 1
            life.log.append(f"{account_id}: OTHERWISE {says}")
            life.log += [f"    {line}" for line in await on_record(life, account_id, about)]


async def differences(world: World, account_id: str) -> Sequence[Difference]:
    """What a journey and its cases have otherwise than the facts call for. LookupError if what was done last is not on record."""
    running = await world.client.agenda_of(account_id)
    if running is None or running.closed or running.opened_at is None:
        return []
    async with world.pool.acquire() as connection, connection.transaction(readonly=True):
        facts = await load_facts(connection, account_id, running.now)
        open_cases = await case_rows.open_cases(connection, account_id)
    if facts is None or facts.lacks(running.last):
        raise LookupError(f"{account_id} did {running.last} last, which is not on record")
    zone = facts.situation.customer.account.time_zone
    found = compare(agenda(facts), running, facts.situation.as_of, zone)
    for case in open_cases:
        has = await world.cases.agenda_of(case.case_id)
        found += compare_case(case.case_id, case.next_at, case.waiting, has, zone)
    return found


def _acts(life: Life) -> list[tuple[str, str]]:
    """What is asked of these two, and in which order: much of a journey, more or less of cases."""
    acts = [("journey", name) for name in journey_requests.MAKERS] + [("more", name) for name in MORE]
    of_cases = [("case", name) for name in case_requests.MAKERS]
    life.random.shuffle(of_cases)
    acts += of_cases[: life.random.choice([0, 5, 12, len(of_cases)])]
    life.random.shuffle(acts)
    return (acts * 2)[: life.random.choice([15, 30, 45])]


async def _act(life: Life, kind: str, name: str) -> None:
    party = life.random.choices(life.parties, [4, 1])[0]
    if party.closed and name != "place_order":
        await life.ask(party, "place_order", life.order(party, await life.now(party)))
    match kind:
        case "journey":
            await _ask(life, party, name, await journey_requests.MAKERS[name](life, party))
        case "case":
            made = await case_requests.MAKERS[name](life, party)
            if made is None:
                return
            if life.random.random() < WRONG:
                await life.ask_case(made[0], name, spoilt(made[1], life.random))
            await life.ask_case(made[0], name, made[1])
        case _:
            await _more(life, party, name)


async def _ask(life: Life, party: Party, name: str, request: Made) -> None:
    if request is None:
        return
    if life.random.random() < WRONG:
        await life.ask(party, name, spoilt(request, life.random))
    await life.ask(party, name, request)
    if name == "pause" and life.random.random() < 0.7:
        if life.random.random() < 0.5:
            await life.later(party, life.random.choice([0.3, 2, 12, 45]))
        await life.ask(party, "resume", {})


async def _more(life: Life, party: Party, name: str) -> None:
    match name:
        case "close":
            if life.random.random() < 0.4:
                closed = await life.ask(party, "close_journey", {"reason": "they moved away"})
                party.closed = closed is not None
        case "silence":
            await life.use(party, life.random.choice([0.1, 0.5, 0.99]))
            await life.later(party, life.random.choice([10, 45]))
        case "onboard":
            await life.onboard(party)
        case "import":
            await import_asset(life, party)
        case "move":
            zone = life.random.choice([*(zone for _, zone, _, _ in ZONES), *ELSEWHERE])
            await _ask(life, party, "change_account", {"time_zone": zone, "reason": "they moved", "by": "S-1"})
        case "ahead":
            days = life.random.choice([1, 10, 40, 100])
            await _ask(life, party, "place_order", life.order(party, await life.now(party), ahead=days))
        case "soon":
            day = await life.today(party) + timedelta(days=life.random.randint(0, 6))
            step = await journey_requests.some_step(life, party)
            await _ask(life, party, "reschedule_step", {"step": step, "day": day.isoformat()} if step else None)
        case _:
            await life.later(party, life.random.choice([0.3, 1, 4, 20, 60, 200]))


async def _end(life: Life, server: Server, seen: Seen) -> None:
    """What is on its way arrives, and what was set aside is looked at."""
    try:
        await server.hurry()
        if not seen.differences:
            await seen.look("at the end")
        aside = await life.parked()
    except Exception as error:
        aside = ["".join(traceback.format_exception(error))[-3000:]]
    life.world.tally.failures += [f"life {life.name}: at the end: {one}" for one in aside]
