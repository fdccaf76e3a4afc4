"""Cases of the past from a log of another system: recorded with their true dates; no workflow begins and nothing is sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from activities.kernel.pool import Pool
from activities.playbooks import FOLDER, read_playbooks
from activities.service.case_imports import (
    CaseCustomer,
    PastCase,
    Terms,
    add_customers,
    cases_on_record,
    keep_terms,
    known_accounts,
    save_past_cases,
)
from domain.frame.case_words import RUNNING
from domain.frame.playbook import Playbook
from domain.kernel.business_clock import BusinessClock, clock_of
from domain.service.case_log import promises_of
from workers.feeds.case_log import CaseLogScanner, LoggedCase
from workers.feeds.case_mapping import CaseMapping, case_mapping_for, opaque
from workers.feeds.errors import FeedError
from workers.feeds.importing import READING, Progress, unseen
from workers.feeds.rejects import FileReport, Reason, Reject, Work

IMPORTING = "importing cases"
AT_ONCE = 1000
"""Cases in one transaction."""


@dataclass(frozen=True, kw_only=True)
class CaseReport(FileReport):
    """What became of a log; `beyond_limit` lines were not looked at.

    cases: on record now, of which `cases_before` were so before; `still_open` ones are on record as open, and nothing is
    due for them.
    """

    beyond_limit: int
    customers: int
    customers_new: int
    cases: int
    cases_before: int
    still_open: int


async def import_cases(
    pool: Pool,
    file: Path,
    *,
    rejects: Path,
    as_of: datetime,
    mapping: Path | None = None,
    playbooks: Path = FOLDER,
    limit: int | None = None,
    progress: Progress = unseen,
) -> CaseReport:
    """Every line of the log becomes part of a case on record, or a line of `rejects`.

    Running it again, also after a crash in the middle, ends with the same facts; of a log that has grown, the cases that
    differ are written anew. Raises FeedError before anything is imported if the log or the mapping cannot be used.

    Args:
        as_of: when the cases are recorded.
    """
    work = Work(file, rejects)
    rules, header = case_mapping_for(file, mapping)
    playbook = _playbook(rules, playbooks)
    scan = CaseLogScanner(rules, header).scan(file, limit, lambda lines: progress(READING, lines, None))
    importer = _Importer(pool, rules, as_of, _end(scan.cases, as_of))
    await importer.prepare(scan.cases, playbook)
    for batch in _batches(scan.cases):
        await importer.take(batch)
        progress(IMPORTING, importer.accepted + importer.refused, len(scan.cases))
    rejected = {**scan.rejects, **importer.rejects}
    return CaseReport(
        **work.ended(scan.lines, importer.lines, rejected, rules.layout),
        beyond_limit=scan.beyond,
        customers=len({case.account_id for case in scan.cases}),
        customers_new=importer.customers_new,
        cases=importer.accepted,
        cases_before=importer.before,
        still_open=sum(case.state in RUNNING for case in scan.cases),
    )


def _playbook(rules: CaseMapping, folder: Path) -> Playbook:
    playbooks = read_playbooks(folder)
    found = playbooks.current(rules.customer.segment)
    if found is None:
        known = ", ".join(playbooks.segments())
        raise FeedError(
            f"the mapping's customer.segment is {rules.customer.segment!r}; there are playbooks for {known}"
        )
    return found


def _end(cases: Sequence[LoggedCase], as_of: datetime) -> datetime:
    """When the log ends: what is open then is judged at that instant."""
    return max((case.last_at for case in cases), default=as_of)


def _batches(cases: Sequence[LoggedCase]) -> Iterable[Sequence[LoggedCase]]:
    # In one order for every import, so that two at once wait for each other and never in a circle.
    ordered = sorted(cases, key=lambda case: (case.account_id, case.case_id))
    return (ordered[n : n + AT_ONCE] for n in range(0, len(ordered), AT_ONCE))


class _Importer:
    """Writes the cases of one log, batch by batch, and counts."""

    def __init__(self, pool: Pool, rules: CaseMapping, as_of: datetime, end: datetime) -> None:
        self._pool = pool
        self._rules = rules
        self._as_of = as_of
        self._end = end
        self._calendar = rules.whole_calendar()
        self._clocks: dict[str, BusinessClock] = {self._calendar.id: clock_of(self._calendar)}
        self._terms: Terms | None = None
        self.customers_new = 0
        self.accepted = self.before = self.refused = self.lines = 0
        self.rejects: dict[int, Reject] = {}

    async def prepare(self, cases: Sequence[LoggedCase], playbook: Playbook) -> None:
        """The promises and the customers of the log, on record."""
        customers = {case.account_id: case.customer for case in cases}
        since: dict[str, datetime] = {}
        for case in cases:
            since[case.account_id] = min(since.get(case.account_id, case.opened_at), case.opened_at)
        async with self._pool.acquire() as connection, connection.transaction():
            self._terms = await keep_terms(connection, self._rules.policy, self._calendar)
            known = await known_accounts(connection, customers)
            new = [self._customer(id, word, since[id]) for id, word in sorted(customers.items()) if id not in known]
            await add_customers(connection, new, self._rules.customer.owner, playbook, self._as_of)
        self.customers_new = len(new)

    def _customer(self, account_id: str, word: str, since: datetime) -> CaseCustomer:
        rules = self._rules.customer
        return CaseCustomer(
            account_id=account_id,
            name=rules.name.format(value=word),
            country=rules.country,
            time_zone=rules.time_zone,
            language=rules.language,
            contact_name=rules.contact_name.format(value=word),
            contact_email=rules.contact_email.format(value=opaque(account_id)),
            since=since,
        )

    async def take(self, batch: Sequence[LoggedCase]) -> None:
        """Some cases in one transaction: all that are new or told otherwise than before."""
        if self._terms is None:
            raise RuntimeError("prepare first")
        async with self._pool.acquire() as connection, connection.transaction():
            known = await cases_on_record(connection, (case.case_id for case in batch))
            fresh: list[LoggedCase] = []
            for case in batch:
                digest, imported = known.get(case.case_id, ("", True))
                if not imported:
                    self._refuse(case)
                    continue
                if digest != case.digest():
                    fresh.append(case)
                else:
                    self.before += 1
                self.accepted += 1
                self.lines += len(case.lines)
            if fresh:
                past = [self._past(case) for case in fresh]
                await save_past_cases(connection, past, self._terms, self._as_of)

    def _refuse(self, case: LoggedCase) -> None:
        said = f"case {case.case_id!r} is on record and was not imported; a log cannot change it"
        self.rejects.update(dict.fromkeys(case.lines, Reject(Reason.REFUSED, said)))
        self.refused += 1

    def _past(self, case: LoggedCase) -> PastCase:
        record = case.record(self._as_of)
        return PastCase(
            case_id=case.case_id,
            account_id=case.account_id,
            subject=case.subject,
            channel=case.channel.value,
            category=self._rules.category.value,
            product=case.product,
            priority=case.priority,
            state=case.state,
            owner=case.owner,
            digest=case.digest(),
            record=record,
            promises=promises_of(self._rules.policy, case.priority, record, self._clocks, as_of=self._end),
        )
