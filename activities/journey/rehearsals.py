"""What a playbook would change for each customer: found by chunks, kept until the playbook is brought to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from activities.journey.portfolio_facts import Held, load_many
from activities.kernel.pool import Connection
from activities.playbooks.conditions import compiled, met
from domain.frame.playbook import Playbook
from domain.frame.state import Step
from domain.journey import trial
from domain.journey.agenda_facts import Facts
from domain.journey.horizon import Horizon
from domain.success import plays

_ASKS_SERVICE = frozenset({"open_cases", "urgent_cases", "blocked"})


@dataclass(frozen=True)
class Trial:
    """What another playbook would change for a customer: steps by their keys with their days, those that move with both days.

    `asleep`: of what it adds, the plays whose condition does not hold today. `waits`: an onboarding keeps its promises first.
    """

    account_id: str
    version: int
    waits: bool = False
    adds: dict[str, date] = field(default_factory=dict)
    drops: dict[str, date] = field(default_factory=dict)
    moves: dict[str, tuple[date, date]] = field(default_factory=dict)
    asleep: dict[str, str] = field(default_factory=dict)

    @property
    def changes(self) -> int:
        """Steps that are otherwise."""
        return len(self.adds) + len(self.drops) + len(self.moves)


def asks_service(playbook: Playbook) -> bool:
    """True if a condition asks what service knows."""
    conditions = (play.when for play in playbook.every_play if play.when)
    return any(_ASKS_SERVICE.intersection(compiled(one).variables()) for one in conditions)


async def try_on(
    connection: Connection, playbook: Playbook, accounts: Sequence[Held], as_of: datetime, until: date
) -> list[Trial]:
    """The playbook tried on these accounts of its segment; those that have its version already, or cannot be read, are left aside."""
    others = [one for one in accounts if one.version != playbook.version]
    found = await load_many(connection, others, as_of, plays=True, service=asks_service(playbook))
    return [_tried(facts, playbook, Horizon(day=until)) for facts in found]


def _tried(facts: Facts, playbook: Playbook, horizon: Horizon) -> Trial:
    account = facts.situation.customer.account
    if trial.has_to_wait(facts, playbook):
        return Trial(account.account_id, account.playbook_version, waits=True)
    changed = trial.changes(facts, playbook, horizon)
    then = trial.tried(facts, playbook)
    return Trial(
        account.account_id,
        account.playbook_version,
        adds={step.key: step.on for step in changed.adds},
        drops={step.key: step.on for step in changed.drops},
        moves={step.key: (before.on, step.on) for before, step in changed.moves},
        asleep={step.key: why for step in changed.adds if (why := _asleep(then, step))},
    )


def _asleep(facts: Facts, step: Step) -> str:
    play = plays.of_step(facts.situation, step) if step.kind == plays.KIND else None
    return met(facts.situation, play, step).why if play is not None else ""


@dataclass(frozen=True)
class Rehearsal:
    """A rehearsal on record: the day up to which it looked, and how many changes it found for each customer."""

    until: date
    changes: Mapping[str, int]


async def keep(connection: Connection, playbook: Playbook, at: datetime, until: date, trials: Sequence[Trial]) -> None:
    """The rehearsal in place of the one before of the same version."""
    named = (playbook.segment, playbook.version)
    async with connection.transaction():
        await connection.execute("delete from playbook_rehearsal where segment = $1 and version = $2", *named)
        await connection.execute(
            "insert into playbook_rehearsal (segment, version, body, rehearsed_at, until) values ($1, $2, $3, $4, $5)",
            *(*named, playbook.model_dump(mode="json"), at, until),
        )
        await connection.executemany(
            "insert into playbook_trial (segment, version, account_id, changes) values ($1, $2, $3, $4)",
            [(*named, one.account_id, one.changes) for one in trials],
        )


async def rehearsed(connection: Connection, playbook: Playbook) -> Rehearsal | None:
    """The rehearsal of exactly this playbook; null if there was none, or of other content under the same version."""
    named = (playbook.segment, playbook.version)
    row = await connection.fetchrow(
        "select body, until from playbook_rehearsal where segment = $1 and version = $2", *named
    )
    if row is None or Playbook.stored(row["body"]) != playbook:
        return None
    rows = await connection.fetch(
        "select account_id, changes from playbook_trial where segment = $1 and version = $2", *named
    )
    return Rehearsal(row["until"], {one["account_id"]: one["changes"] for one in rows})


async def on_record(connection: Connection, playbook: Playbook) -> Playbook | None:
    """The playbook that is on record under the same segment and version."""
    body = await connection.fetchval(
        "select body from playbook where segment = $1 and version = $2", playbook.segment, playbook.version
    )
    return Playbook.stored(body) if body is not None else None


async def put_on_record(connection: Connection, playbook: Playbook) -> None:
    """From now on customers can be given this version."""
    await connection.execute(
        "insert into playbook (segment, version, body) values ($1, $2, $3) on conflict do nothing",
        *(playbook.segment, playbook.version, playbook.model_dump(mode="json")),
    )
