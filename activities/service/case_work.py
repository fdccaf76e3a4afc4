"""One transaction, one effect, for cases: load what is known, decide, look after what is due, and write all of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar, TypeVarTuple

from temporalio import activity

from activities.frame import effects, outbox
from activities.frame.errors import business_errors
from activities.frame.handlers import Place
from activities.frame.once_more import once_more
from activities.frame.outgoing import Origin
from activities.frame.unit_of_work import Performer
from activities.holds import hold_rows
from activities.kernel import news
from activities.kernel.gathering import Gathered
from activities.kernel.pool import Connection
from activities.service import case_rows, case_writes, desks, holiday_rows
from activities.service.case_sending import case_mail, case_notice, case_outcome
from domain.frame.keys import case_key
from domain.frame.request_kinds import RequestKind
from domain.journey.webhooks import Event, EventType, case_events
from domain.kernel.business_calendar import BusinessCalendar
from domain.kernel.business_clock import BusinessClock, clock_of
from domain.kernel.calendar import local_day
from domain.kernel.fingerprints import Asked
from domain.kernel.ids import case_workflow_id
from domain.kernel.refusals import UNKNOWN_CASE, Refusal, named_refusals
from domain.mail.signing import message_id_of
from domain.service import case_care
from domain.service.case import CaseAccount, CaseFile
from domain.service.case_progress import CaseCall, CaseOutcome
from domain.service.case_refusing import check_version
from domain.service.casework import CaseSituation, Work
from domain.service.desk import ServiceBook
from domain.service.entitlements import CaseSubject, PolicyChoice, ServicePolicy, choose_policy

_Subject = TypeVar("_Subject")
_Looked = TypeVarTuple("_Looked")

Decide = Callable[[Work], None]
CaseLook = Callable[[Connection, Work, Any], Awaitable[tuple[Any, ...]]]
"""What is looked up for a rule, in the same transaction."""
Accounts = Callable[[Connection, Any], Awaitable[Iterable[str | None]]]
"""Which further accounts a request concerns."""


def request_key(call: CaseCall) -> str:
    """The key of a request: the name of its activity, and its id."""
    return case_key(call.case_id, f"{activity.info().activity_type}:{call.request_id}")


class CaseWorker:
    """Carries out work on cases in transactions of the performer's pool."""

    def __init__(self, performer: Performer, book: ServiceBook, mail_domain: str) -> None:
        self.performer = performer
        self.book = book
        self._mail_domain = mail_domain
        self._policies: dict[tuple[str, int], ServicePolicy] = {}
        self._calendars: dict[tuple[str, int], BusinessCalendar] = {}

    async def answer(
        self, call: CaseCall, kind: RequestKind[Any], look: CaseLook | None = None, accounts: Accounts | None = None
    ) -> CaseOutcome:
        """The answer to a request, which is decided once by the rule of its `kind`; `look` and `accounts` are those of `once`."""
        async with business_errors():
            request = kind.read(call.body)
            asked = request.asked(call.request_id)
            counts = await self.performer.vouching.counted(
                kind, case_workflow_id(call.case_id), call.body, call.update_id
            )
            return await self._once(
                call,
                case_key(call.case_id, f"{kind.answered_by}:{call.request_id}"),
                kind.decide,
                request if counts is call.body else kind.read(counts),
                agents=kind.agents,
                asked=asked,
                accounts=accounts,
                look=look,
            )

    async def once(self, call: CaseCall, key: str, decide: Callable[[Work], None]) -> CaseOutcome:
        """What comes of something that happens to a case by itself, done once under `key`."""
        async with business_errors():
            return await self._once(call, key, lambda work, _: decide(work), None)

    async def _once(
        self,
        call: CaseCall,
        key: str,
        rule: Callable[[Work, _Subject, *_Looked], None],
        request: _Subject,
        *,
        agents: bool = False,
        asked: Asked | None = None,
        accounts: Callable[[Connection, _Subject], Awaitable[Iterable[str | None]]] | None = None,
        look: Callable[[Connection, Work, _Subject], Awaitable[tuple[*_Looked]]] | None = None,
    ) -> CaseOutcome:
        """What came of `rule`, done once under `key`; a repetition finds what came of it the first time.

        Args:
            call: the case and the instant.
            key: the business key.
            rule: what is decided: of the work, the request, and what `look` has found beside them.
            request: what is asked, if anything is; the staff that it names are known to the rule.
            agents: with everybody who takes cases, even if the case has an owner.
            asked: its fingerprint; something else under the same key is refused (RequestConflict).
            accounts: which further accounts it concerns; they are held, too.
            look: what else is looked up for it, in the same transaction.
        """
        people = (getattr(request, name, None) for name in ("by", "owner", "to"))
        about = [news.of_case(call.case_id)]
        async with self.performer.transaction(about) as connection:
            others = await accounts(connection, request) if accounts else ()
            case = await self.locked(connection, call.case_id, *others)
            about += map(news.of_account, filter(None, (case.account_id, *others)))
            if found := await effects.find_record(connection, key, asked):
                return await self.repeated(connection, call, case, *found)
            work = Work(await self.situation(connection, case, call.as_of, *people, agents=agents), key)
            with named_refusals():
                check_version(getattr(request, "expected_version", None), case.version)
            looked = await look(connection, work, request) if look else ()
            await self.carry_out(connection, work, lambda work: rule(work, request, *looked))
            return await self.finish(connection, call, work, asked)

    async def carry_out(self, connection: Connection, work: Work, decide: Decide) -> None:
        """The decision itself, then whatever is due. Raises `Refusal`; nothing is written by then."""
        before = work.case
        with named_refusals():
            if not work.fresh:
                case_care.by_time(work)  # what was due before comes first, even if nobody was there to do it
            decide(work)
            case = work.case
            if (case.priority, case.account_id) != (before.priority, before.account_id):
                await self.choose(connection, work)
            if not work.fresh:
                case_care.look_after(work)
                if work.changed():
                    work.change(version=work.case.version + 1)

    async def locked(self, connection: Connection, case_id: str, *accounts: str | None) -> CaseFile:
        """The case, held against whatever else changes it, sends to its customer or decides on their money.

        Accounts are held before cases, as by whoever decides in a journey; `accounts` are further ones that it concerns.

        Raises:
            Refusal: UnknownCase.
            CaseMovedMeanwhileError: it became another customer's while it was waited for.
        """
        case = await case_rows.find_case(connection, case_id)
        held = {account for account in (case.account_id if case else None, *accounts) if account is not None}
        await hold_rows.lock_accounts(connection, held)
        case = await case_rows.find_case(connection, case_id, lock=True)
        if case is None:
            raise Refusal(UNKNOWN_CASE, f"there is no case {case_id!r}; check the id, or open it")
        if case.account_id is not None and case.account_id not in held:
            raise case_rows.CaseMovedMeanwhileError(f"case {case_id} is {case.account_id}'s since a moment; try again")
        return case

    async def repeated(
        self, connection: Connection, call: CaseCall, case: CaseFile, run: str, outcome: Any
    ) -> CaseOutcome:
        """What was answered before. A retry of this very call gets all of it; a request sent again the answer alone. A run that has
        forgotten it, or does not know its case yet, hears how that stands."""
        first = CaseOutcome.model_validate(outcome)
        forgotten = not call.repeated and effects.is_forgotten(run, call.run)
        if run == call.run and not call.repeated and not forgotten:
            return first
        again = first.again()
        if not (call.opening or forgotten):
            return again
        work = Work(await self.situation(connection, case, call.as_of), "")
        work.next_at = case.next_action_at
        waiting = await outbox.waiting_of_case(connection, call.case_id)
        told = first.tell if forgotten else []
        more = {"deliveries": waiting, "tell": told}
        return again.having(view=work.view(), **{name: what for name, what in more.items() if what})

    async def situation(
        self, connection: Connection, case: CaseFile, as_of: datetime, *people: str | None, agents: bool = False
    ) -> CaseSituation:
        """Everything that a decision about `case` may know. The instant is none before what is on record, but for what is done once more at
        its own: an engine that came back from a copy of before may have a moved clock that is."""
        loaded = await case_rows.load_case(connection, case.case_id, *filter(None, people))
        if not once_more.get():
            as_of = max([as_of, *(event.recorded_at for event in loaded.events)])
        known = {name: True for name in ("rejected", "unsubscribed") if getattr(loaded, name)}
        if known:
            case = case.having(contact=case.contact.having(**known))
        policy = None
        if case.policy_id is not None and case.policy_version is not None:
            policy = await self._policy(connection, case.policy_id, case.policy_version)
        takers = await desks.load_agents(connection) if agents or case.owner_id is None else []
        return CaseSituation(
            case=case,
            as_of=as_of,
            desk=self.book.desk,
            account=loaded.account,
            events=loaded.events,
            messages=loaded.messages,
            milestones=loaded.milestones,
            fired=loaded.fired,
            surveys=loaded.surveys,
            asked=loaded.asked,
            claims=loaded.claims,
            open_children=loaded.open_children,
            policy=policy,
            clocks={**await self._shifts(connection), **await self._clocks(connection, case.calendars)},
            teams=await desks.load_teams(connection),
            staff={**loaded.staff, **{one.staff.staff_id: one.staff for one in takers}},
            agents=takers,
            seller=self.performer.sender.seller,
            unreadable=loaded.unreadable,
        )

    async def _shifts(self, connection: Connection) -> dict[str, BusinessClock]:
        """The clocks of all current calendars, by which agents' shifts go."""
        return {one.id: clock_of(one) for one in (await self._current(connection)).values()}

    async def _current(self, connection: Connection) -> dict[str, BusinessCalendar]:
        return await holiday_rows.current(connection, self.book.calendars.values())

    async def _policy(self, connection: Connection, policy_id: str, version: int) -> ServicePolicy:
        key = (policy_id, version)
        if key not in self._policies:
            self._policies[key] = await desks.load_policy(connection, policy_id, version)
        return self._policies[key]

    async def _clocks(self, connection: Connection, versions: dict[str, int]) -> dict[str, BusinessClock]:
        for key in versions.items():
            if key not in self._calendars:
                self._calendars[key] = await desks.load_calendar(connection, *key)
        return {calendar_id: clock_of(self._calendars[calendar_id, n]) for calendar_id, n in versions.items()}

    # The policy

    async def choose(self, connection: Connection, work: Work) -> PolicyChoice:
        """The policy that the case is under now, with the versions of its calendars. Calendars it has already stay as they are."""
        case, account = work.case, work.before.account
        choice = await self._choice(connection, case, account, work.as_of)
        policy = choice.policy
        if policy is None:
            work.policy = None
            work.change(policy_id=None, policy_version=None, chosen_by=choice.chosen_by.value, entitled=False)
            return choice
        calendar_id = self.book.desk.calendar_for(policy, account.country if account else None)
        wanted = {calendar_id, *(one.calendar_id for one in policy.milestones if one.calendar_id)}
        current = await self._current(connection)
        new = [current[one] for one in sorted(wanted - set(case.calendars))]
        await desks.keep_policy(connection, policy)
        await desks.keep_calendars(connection, new)
        versions = {**case.calendars, **{one.id: one.version for one in new}}
        work.policy = await self._policy(connection, policy.id, policy.version)
        work.clocks = {**work.clocks, **await self._clocks(connection, versions)}
        work.change(
            policy_id=policy.id,
            policy_version=policy.version,
            chosen_by=choice.chosen_by.value,
            entitlement_id=choice.entitlement.id if choice.entitlement else None,
            entitled=choice.entitled,
            calendar_id=calendar_id,
            calendar_version=versions[calendar_id],
            calendars=versions,
            planned_at=work.as_of,
        )
        return choice

    async def _choice(
        self, connection: Connection, case: CaseFile, account: CaseAccount | None, as_of: datetime
    ) -> PolicyChoice:
        owed = await desks.load_entitlements(connection, account.account_id) if account else []
        subject = CaseSubject.model_validate(
            {
                "account": account.account_id if account else "",
                "product": case.product_code,
                "contract": case.contract_id,
                "segment": account.segment if account else None,
                "priority": case.priority,
            }
        )
        day = local_day(as_of, account.time_zone if account else "UTC")
        return choose_policy(subject, owed, self.book.policies, day)

    # What leaves, and what is left behind

    async def finish(
        self, connection: Connection, call: CaseCall, work: Work, asked: Asked | None = None
    ) -> CaseOutcome:
        """Everything that the work changes, written on `connection`."""
        case, as_of = work.case, work.as_of
        sender = self.performer.sender
        key = await sender.signing.current(connection) if work.mails or work.notices else None
        gathered = Gathered(connection)
        place = Place(connection, case.account_id or "", as_of, gathered=gathered)
        ids = {mail.id: message_id_of(mail.id, self._mail_domain, key) for mail in work.mails}
        await case_writes.save_work(connection, work, ids)
        origin = Origin(work.key, f"service:{case.case_id}", as_of, key.number if key else None)
        rows = [case_mail(work, mail, origin) for mail in work.mails]
        rows += [case_notice(work, notice, origin) for notice in work.notices]
        if case.account_id is not None:
            lines = [
                effects.JournalRow(f"{work.key}/{one.name}", one.at, origin.stage, one.kind, one.title, one.detail)
                for one in work.lines
            ]
            await effects.gather_journal(gathered, case.account_id, lines)
            told = [Event(EventType.CREDIT_MEMO_ISSUED, memo) for memo in work.memos]
            told += case_events(case, work.events, was_known=work.before.case.account_id is not None)
            rows += sender.event_rows(told, case.account_id, origin)
            rows = await sender.with_memos(connection, case.account_id, work.memos, rows, origin)
        await outbox.put(place, rows)
        outcome = case_outcome(work, rows)
        await effects.record_effect(gathered, work.key, place.account_id, call.run, as_of, outcome, asked)
        return outcome


class CaseActivities:
    """Activities of cases, and what is looked up for requests that the registry's rules answer, by the names of their activities."""

    looks: Mapping[str, CaseLook] = {}
    accounts: Mapping[str, Accounts] = {}

    def __init__(self, worker: CaseWorker) -> None:
        self._worker = worker
