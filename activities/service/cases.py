"""What a case is asked, and what it does by itself: one activity each, one transaction each, done once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from temporalio import activity

from activities.frame import effects, outbox
from activities.frame.errors import business_errors
from activities.holds import hold_rows
from activities.kernel import news
from activities.kernel.pool import Connection
from activities.service import case_rows
from activities.service.case_work import CaseActivities, request_key
from domain.frame.keys import case_key
from domain.journey.registry import CASE
from domain.kernel.refusals import UNKNOWN_ACCOUNT, Refusal
from domain.service import case_changes, case_merging
from domain.service.case import CaseAccount, CaseContact, CaseFile
from domain.service.case_opening import answer_of, cannot_open, check_people, contact_of, new_case
from domain.service.case_progress import CaseCall, CaseChanged, CaseOutcome
from domain.service.case_requests import Identify, Merge
from domain.service.casework import CaseSituation, Work
from domain.service.opening import CASE_CONFLICT, OpenCase, read_case


async def _merged_accounts(connection: Connection, request: Merge) -> list[str | None]:
    """Whose the case is that goes on, and the one at its end."""
    end = await case_rows.merge_end(connection, request.into)
    found = [await case_rows.find_case(connection, other) for other in dict.fromkeys((request.into, end))]
    return [other.account_id for other in found if other is not None]


async def _merged(
    connection: Connection, work: Work, request: Merge
) -> tuple[dict[str, CaseFile], Mapping[str, str], datetime | None]:
    """The case that goes on and the one at its end, held; what else went up in what; and when the latter was answered last."""
    end = await case_rows.merge_end(connection, request.into)
    found = [await case_rows.find_case(connection, one, lock=True) for one in dict.fromkeys((request.into, end))]
    others = {other.case_id: other for other in found if other is not None}
    merges = await case_rows.merges_of(connection, work.case.account_id)
    return others, merges, await case_rows.last_answered(connection, end)


async def _identified_account(_: Connection, request: Identify) -> list[str | None]:
    return [request.account_id]


async def _identified(connection: Connection, work: Work, request: Identify) -> tuple[CaseAccount, CaseContact | None]:
    """Who somebody unknown turns out to be. Raises `Refusal` (UnknownAccount)."""
    account = await case_rows.load_account(connection, request.account_id)
    if account is None:
        raise cannot_open("account_id", f"no account {request.account_id!r} is known", UNKNOWN_ACCOUNT)
    work.before = replace(work.before, account=account)
    return account, await case_rows.load_contact(connection, request.account_id, request.contact_id)


async def _known_contact(connection: Connection, document: OpenCase) -> CaseContact | None:
    """The contact on record whom a document names, or the main one if it names nobody."""
    if document.account_id is None or (document.contact_id is None and document.contact is not None):
        return None
    known = await case_rows.load_contact(connection, document.account_id, document.contact_id)
    if known is None and document.contact_id is not None:
        raise cannot_open("contact_id", f"{document.contact_id!r} is no contact of account {document.account_id!r}")
    return known


_RETRY = replace(CASE["retry"], rule=lambda work, request: None)


class ServiceCases(CaseActivities):
    """What is looked up for requests to a case, and what a case does that no rule alone answers."""

    looks = {"case_merge": _merged, "case_identify": _identified}
    accounts = {"case_merge": _merged_accounts, "case_identify": _identified_account}

    @activity.defn
    async def case_open(self, call: CaseCall) -> CaseOutcome:
        """A case is opened: its facts, its promises, its owner, and the customer hears of it."""
        async with business_errors():
            document = read_case(call.body)
            key = case_key(call.case_id, "opened")
            about = [news.of_case(call.case_id), *map(news.of_account, filter(None, [document.account_id]))]
            async with self._worker.performer.transaction(about) as connection:
                if document.account_id is not None:
                    await hold_rows.lock_account(connection, document.account_id)  # no mail of sales leaves meanwhile
                if await case_rows.find_case(connection, call.case_id):
                    return await self._opened_before(connection, call, document, key)
                work = Work(await self._first_situation(connection, document, call), key, fresh=True)
                choice = await self._worker.choose(connection, work)
                await self._worker.carry_out(connection, work, lambda work: case_changes.open_case(work, document))
                if choice.expired is not None:
                    ended = f"The support of {work.case_id}'s customer has ended: {choice.expired.id}"
                    work.notify(f"{key}/expired", ("sales",), ended, [work.case.subject, "Talk about its renewal."])
                work.answer.update(answer_of(work).model_dump(mode="json", exclude_unset=True))
                return await self._worker.finish(connection, call, work)

    async def _opened_before(self, connection: Connection, call: CaseCall, document: OpenCase, key: str) -> CaseOutcome:
        case = await self._worker.locked(connection, call.case_id)
        found = await effects.find_record(connection, key)
        if case.digest != document.digest() or found is None:
            raise Refusal(
                CASE_CONFLICT,
                f"case {call.case_id!r} was opened before with other content; nothing was changed. Use a new case_id",
            )
        return await self._worker.repeated(connection, call, case, *found)

    async def _first_situation(self, connection: Connection, document: OpenCase, call: CaseCall) -> CaseSituation:
        account: CaseAccount | None = None
        if document.account_id is not None:
            account = await case_rows.load_account(connection, document.account_id)
            if account is None:
                raise cannot_open("account_id", f"no account {document.account_id!r} is known", UNKNOWN_ACCOUNT)
        for field, other in (("parent", document.parent), ("follows", document.follows)):
            found = await case_rows.find_case(connection, other) if other is not None else None
            if other is not None and found is None:
                raise cannot_open(field, f"there is no case {other!r}")
            if found is not None and account is not None and found.account_id not in (None, account.account_id):
                raise cannot_open(field, f"case {other!r} is another customer's")
        contact = contact_of(document, account, await _known_contact(connection, document))
        favoured = account is not None and account.segment in self._worker.book.desk.favoured_segments
        case = new_case(document, account, contact, call.as_of, favoured=favoured)
        people = (document.owner, document.by)
        situation = await self._worker.situation(connection, case, call.as_of, *people, agents=True)
        check_people(document, situation)
        return replace(situation, account=account)

    @activity.defn
    async def case_absorbed(self, call: CaseCall) -> CaseOutcome:
        """Another case went up in this one."""
        return await self._worker.once(
            call, request_key(call), lambda work: case_merging.absorbed(work, CaseChanged.model_validate(call.body))
        )

    @activity.defn
    async def case_retry(self, call: CaseCall) -> CaseOutcome:
        """What could not be done is looked at again, and what waits to leave is on its way again."""
        outcome = await self._worker.answer(call, _RETRY)
        async with business_errors(), self._worker.performer.transaction() as connection:
            waiting = await outbox.waiting_of_case(connection, call.case_id)
        return outcome.having(deliveries={**waiting, **outcome.deliveries}) if waiting else outcome

    @activity.defn
    async def case_wake(self, call: CaseCall) -> CaseOutcome:
        """An instant that the case waited for has come: whatever is due now is done, all of it in one go."""
        return await self._worker.once(call, case_key(call.case_id, f"wake/{call.request_id}"), lambda work: None)

    @activity.defn
    async def case_unheard(self, call: CaseCall) -> CaseOutcome:
        """The customer has no running journey that could hear of the case: the journal says so."""
        async with business_errors(), self._worker.performer.transaction() as connection:
            told = CaseChanged.model_validate(call.body)
            case = await self._worker.locked(connection, call.case_id)
            if case.account_id is not None:
                key = case_key(call.case_id, f"unheard/{told.id}")
                nobody = f"run of case {told.into}" if told.into else "journey"
                title = f"Case {call.case_id}: {told.what}, and no {nobody} to hear of it"
                row = effects.JournalRow(
                    key, told.at, f"service:{call.case_id}", "case_unheard", title, {"what": told.what}
                )
                await effects.write_journal(connection, case.account_id, [row])
            return CaseOutcome()
