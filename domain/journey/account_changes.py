"""What people change about a customer, apart from what was sold: who looks after them, how they are reached, by which rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, model_validator

from domain.frame.customer import ContactFacts, Customer, StaffFacts
from domain.frame.decision import Decision, GoneContacts, JournalLine, Notice
from domain.frame.messages import OwnWords
from domain.frame.playbook import Playbook
from domain.frame.situation import Situation
from domain.frame.staff_tasks import StaffTaskFacts
from domain.frame.state import Outcome
from domain.holds import holding
from domain.journey import changed_people
from domain.journey.writes import ChangedAccount, KeepPlaybook, NewContact, SavedContacts
from domain.kernel.base import Received, Write
from domain.kernel.calendar import ZoneName
from domain.kernel.ids import ContactRef, StaffRef
from domain.kernel.refusals import INVALID_REQUEST, NOT_ALLOWED, Problem, Refusal
from domain.kernel.requests import Remark, Request
from domain.orders.order import Contact, ContactRole, Language, MailAddress, Order, Phone, Text

UNKNOWN_STAFF = "UnknownStaff"

_CHANGES = ("owner", "success_manager", "segment", "language", "time_zone")


class ChangeAccount(Request):
    """Another owner or success manager (staff ids), segment, language or zone. Later orders do not change it back.

    Whoever is new is introduced, and takes over, as the playbook's `people` say: by default on the next business day, unless it is
    taken back by then. The open tasks of whoever has no part in the customer any more are theirs at once. In another zone what is
    planned for nine o'clock happens at nine there; terms and invoices keep the instants that they were sold by. Another segment holds
    for what is planned from now on, and waits until no onboarding is open: that keeps its promises.
    So does another `playbook_version`, one on record, unless it promises the same onboarding.
    """

    owner: StaffRef | None = None
    success_manager: StaffRef | None = None
    segment: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,30}$")] | None = None
    playbook_version: Annotated[int, Field(ge=1)] | None = None
    language: Language | None = None
    time_zone: ZoneName | None = None
    reason: Remark = ""

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if all(getattr(self, name) is None for name in (*_CHANGES, "playbook_version")):
            raise ValueError(f"give at least one of {', '.join((*_CHANGES, 'playbook_version'))}")
        return self


class ContactChange(Received):
    """What changes of a known contact; what is left out stays."""

    contact_id: ContactRef
    name: Text | None = None
    email: MailAddress | None = None
    role: ContactRole | None = None
    language: Language | None = None
    time_zone: ZoneName | None = None
    phone: Phone | None = None


class ChangeContacts(Request):
    """Contacts are added, changed and removed, all together or not at all. Somebody must be left.

    The wish for no optional mails stays with the address, whoever has it.
    """

    add: Annotated[tuple[Contact, ...], Field(max_length=50)] = ()
    change: Annotated[tuple[ContactChange, ...], Field(max_length=50)] = ()
    remove: Annotated[tuple[ContactRef, ...], Field(max_length=50)] = ()
    reason: Remark = ""

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        ids = [*(new.contact_id for new in self.add), *(one.contact_id for one in self.change), *self.remove]
        if not ids:
            raise ValueError("give add, change or remove")
        if twice := [id for id, times in Counter(ids).items() if times > 1]:
            raise ValueError(f"contact {twice[0]!r} is named twice; name each once")
        return self


def change_account(
    situation: Situation,
    request: ChangeAccount,
    staff: Mapping[str, StaffFacts],
    playbook: Playbook | None,
    tasks: Sequence[StaffTaskFacts] = (),
) -> tuple[Situation, Decision]:
    """The customer as they are from now on, and what follows. `playbook`: the one of the segment and version that are asked for;
    `tasks`: what is to be done for the customer.

    Raises `Refusal`: UnknownStaff, InvalidRequest for an unknown segment, NotAllowed while an onboarding promises its tasks.
    """
    customer = situation.customer
    account = customer.account
    owner = _person(request.owner, "owner", staff) or customer.owner
    manager = _person(request.success_manager, "success_manager", staff) or customer.success_manager
    if request.segment not in (None, account.segment) or request.playbook_version is not None:
        _check_playbook(situation, request, playbook)
    now = _compared(customer, request, owner, manager)
    changed = {name: pair for name, pair in now.items() if pair[0] != pair[1]}
    rules = situation.playbook
    if playbook is not None and ("segment" in changed or request.playbook_version is not None):
        rules = playbook
    moved_to = {name: changed[name] for name in ("language", "time_zone") if name in changed}
    after = customer.having(
        owner=owner,
        success_manager=manager,
        account=account.having(
            segment=rules.segment,
            playbook_version=rules.version,
            **{name: new for name, (_, new) in moved_to.items()},
            billed_until=situation.billing_day if "time_zone" in changed else account.billed_until,
        ),
        contacts=[_followed(one, changed) for one in customer.contacts],
    )
    write = _changed(after, request, followed=moved_to, succeeded=_succeeded(changed, _in_charge(after)))
    writes: list[Write] = [*([KeepPlaybook(playbook)] if playbook is not None else []), write]
    writes += changed_people.between(customer, after, situation.as_of)
    moved = Situation(after, rules, situation.as_of, service=situation.service)
    told = {**changed, **_version(situation, rules)}
    said = "; ".join(f"{name.replace('_', ' ')} {old} to {new}" for name, (old, new) in told.items())
    says = f"Account changed: {said}" if said else "Account: nothing to change"
    outcome = Outcome(
        plan=holding.after_move(customer, moved),
        account=moved.account_view,
        said=[says],
        answer={
            "account_id": account.account_id,
            "changed": sorted(told),
            **({"playbook": rules.named} if request.playbook_version is not None else {}),
            **{name: new for name, (_, new) in now.items()},
        },
    )
    line = JournalLine(says, detail={"reason": request.reason} if request.reason else {})
    notices = list(_told_to_successors(situation, changed, request.reason, write.succeeded, tasks))
    return moved, Decision(line, outcome, writes, notices=notices)


def _compared(
    customer: Customer, request: ChangeAccount, owner: StaffFacts, manager: StaffFacts
) -> dict[str, tuple[str, str]]:
    """Each field that can change: what it was, and what it is from now on."""
    account = customer.account
    return {
        "owner": (customer.owner.staff_id, owner.staff_id),
        "success_manager": (customer.success_manager.staff_id, manager.staff_id),
        "segment": (account.segment, request.segment or account.segment),
        "language": (account.language, request.language or account.language),
        "time_zone": (account.time_zone, request.time_zone or account.time_zone),
    }


def _in_charge(customer: Customer) -> set[str]:
    return {customer.owner.staff_id, customer.success_manager.staff_id}


def _changed(
    after: Customer, request: ChangeAccount, *, followed: Mapping[Any, tuple[str, str]], succeeded: dict[str, str]
) -> ChangedAccount:
    """The account as it is written: who is in charge, the playbook, language and zone, with what was asked for."""
    account = after.account
    return ChangedAccount(
        owner=after.owner.staff_id,
        success_manager=after.success_manager.staff_id,
        segment=account.segment,
        playbook_version=account.playbook_version,
        language=account.language,
        time_zone=account.time_zone,
        billed_until=account.billed_until,
        fields=tuple(name for name in _CHANGES if getattr(request, name) is not None),
        followed=dict(followed),
        succeeded=succeeded,
    )


def _told_to_successors(
    situation: Situation,
    changed: Collection[str],
    reason: str,
    succeeded: Mapping[str, str],
    tasks: Sequence[StaffTaskFacts],
) -> Iterator[Notice]:
    """Who is in charge from now on hears it, and who was until now, and what is to be done that goes over to them."""
    before = situation.customer
    for name, what, until_now in (
        ("owner", "the owner", before.owner),
        ("success_manager", "the success manager", before.success_manager),
    ):
        if name in changed:
            lines = [f"Until now: {until_now.name}.", *([OwnWords(reason)] if reason else [])]
            lines += [
                f"What is to be done: {task.title}, by {before.day_of(task.counts_from)}."
                for task in tasks
                if task.person.staff_id == until_now.staff_id and until_now.staff_id in succeeded
            ]
            yield Notice(f"You are {what} of this customer now", lines, to=name)


def _person(staff_id: str | None, name: str, staff: Mapping[str, StaffFacts]) -> StaffFacts | None:
    if staff_id is None:
        return None
    if staff_id not in staff:
        says = f"{staff_id!r} is none of our people; add them with `perennial staff add`, or check the id"
        raise Refusal(UNKNOWN_STAFF, "the account cannot be changed", [Problem(field=name, problem=says)])
    return staff[staff_id]


def _version(situation: Situation, rules: Playbook) -> dict[str, tuple[str, str]]:
    """Another version of the same segment's playbook."""
    if rules.segment != situation.playbook.segment or rules.version == situation.playbook.version:
        return {}
    return {"playbook": (situation.playbook.named, rules.named)}


def _check_playbook(situation: Situation, request: ChangeAccount, playbook: Playbook | None) -> None:
    segment = request.segment or situation.customer.account.segment
    if playbook is None:
        version = "" if request.playbook_version is None else f" {request.playbook_version}"
        problem = Problem(
            field="segment" if request.playbook_version is None else "playbook_version",
            problem=f"no playbook for segment {segment!r}{version}; see `perennial schema playbook`",
        )
        raise Refusal(INVALID_REQUEST, "the account cannot be changed", [problem])
    if segment == situation.playbook.segment and playbook.onboarding == situation.playbook.onboarding:
        return
    if still := [task for task in situation.customer.tasks if task.is_open]:
        names = ", ".join(task.name for task in still)
        raise Refusal(
            NOT_ALLOWED,
            f"an onboarding still promises {names} by its playbook; complete these tasks (complete_task), then change the segment",
        )


def _followed(contact: ContactFacts, changed: Mapping[str, tuple[str, str]]) -> ContactFacts:
    """A contact who had the account's language or zone has its new one."""
    same = {
        name: changed[name][1]
        for name in ("language", "time_zone")
        if name in changed and getattr(contact, name) == changed[name][0]
    }
    return contact.having(**same) if same else contact


def _succeeded(changed: Mapping[str, tuple[str, str]], still: set[str]) -> dict[str, str]:
    """Whoever has no part in the account any more leaves their open tasks to their successor."""
    pairs = [changed[name] for name in ("success_manager", "owner") if name in changed]
    return {old: new for old, new in pairs if old not in still}


def change_contacts(situation: Situation, request: ChangeContacts) -> tuple[Situation, Decision]:
    """The customer with other contacts, and what follows. Raises `Refusal` (InvalidRequest, NotAllowed)."""
    customer = situation.customer
    account = customer.account
    known = {one.contact_id: one for one in customer.contacts}
    _check_contacts(request, known)
    if set(known) <= set(request.remove) and not request.add:
        raise Refusal(NOT_ALLOWED, "nobody would be left to write to; add a contact in the same request")
    places = {one.contact_id: n for n, one in enumerate(customer.contacts)}
    saved: dict[int, NewContact] = {}
    for change in request.change:
        now = known[change.contact_id]
        saved[places[change.contact_id]] = NewContact(
            now.contact_id,
            change.name or now.name,
            change.email or now.email,
            change.role or now.role,
            change.language or now.language,
            change.time_zone or now.time_zone,
            change.phone,
        )
    for n, new in enumerate(request.add, start=len(known)):
        language, zone = new.language or account.language, new.time_zone or account.time_zone
        saved[n] = NewContact(new.contact_id, new.name, new.email, new.role, language, zone, new.phone)
    contacts = _contacts_after(customer.contacts, saved, set(request.remove))
    parts = [
        ("added", [one.contact_id for one in request.add]),
        ("changed", [one.contact_id for one in request.change]),
    ]
    parts.append(("removed", list(request.remove)))
    says = "Contacts " + "; ".join(f"{what}: {', '.join(ids)}" for what, ids in parts if ids)
    settled = [*request.remove, *(one.contact_id for one in request.change if one.email is not None)]
    outcome = Outcome(
        said=[says],
        attention={f"address_rejected:{id}": None for id in settled},
        answer={"contacts": [{"contact_id": one.contact_id, "role": one.role.value} for one in contacts]},
    )
    after = customer.having(contacts=contacts)
    writes: list[Write] = [*changed_people.between(customer, after, situation.as_of)]
    if saved:
        writes.append(SavedContacts(saved, account.country))
    if request.remove:
        writes.append(GoneContacts(tuple(request.remove), request.by, situation.as_of))
    line = JournalLine(says, detail={"reason": request.reason} if request.reason else {})
    moved = Situation(after, situation.playbook, situation.as_of, service=situation.service)
    return moved, Decision(line, outcome, writes) + changed_people.search_over(customer, moved)


def _contacts_after(
    known: list[ContactFacts], saved: Mapping[int, NewContact], removed: set[str]
) -> list[ContactFacts]:
    wanted = {contact.email.lower() for contact in known if contact.unsubscribed}
    after = {n: one for n, one in enumerate(known) if one.contact_id not in removed}
    for n, one in saved.items():
        same = n < len(known) and known[n].email.lower() == one.email.lower()
        after[n] = ContactFacts(
            contact_id=one.contact_id,
            name=one.name,
            email=one.email,
            role=one.role,
            language=one.language,
            time_zone=one.time_zone,
            rejected=same and known[n].rejected,
            unsubscribed=one.email.lower() in wanted,
            declined=known[n].declined if same else (),
            every_days=known[n].every_days if same else None,
        )
    return [after[n] for n in sorted(after)]


def _check_contacts(request: ChangeContacts, known: Mapping[str, ContactFacts]) -> None:
    there = ", ".join(known) or "nobody"
    problems = [
        Problem(field=f"add[{n}].contact_id", problem=f"{one.contact_id!r} is there already; name them under change")
        for n, one in enumerate(request.add)
        if one.contact_id in known
    ]
    named = [(f"change[{n}].contact_id", one.contact_id) for n, one in enumerate(request.change)]
    named += [(f"remove[{n}]", id) for n, id in enumerate(request.remove)]
    problems += [
        Problem(field=field, problem=f"there is no contact {id!r}; there are {there}")
        for field, id in named
        if id not in known
    ]
    if problems:
        raise Refusal(INVALID_REQUEST, "the contacts cannot be changed", problems)


def changed_by_order(before: Sequence[ContactFacts], order: Order, left: Sequence[str]) -> list[JournalLine]:
    """What an order says otherwise of contacts who were known, and what of it holds from now on: by field, without the values.

    `left`: what the order would have changed, and did not.
    """
    return [
        JournalLine(
            f"Order {order.order_id} changes contact {id}: {', '.join(fields)}",
            name=f"contact-{id}",
            kind="contact_changed",
        )
        for number, id, fields in _said_otherwise(before, order)
        if fields and not any(one.startswith(f"contacts[{number}]:") for one in left)
    ]


def left_by_older(before: Sequence[ContactFacts], order: Order) -> list[str]:
    """What an order from before the latest one says otherwise of contacts: they stay as that one has them."""
    return [
        f"contacts[{number}]: {id} {'stays' if fields else 'is left out'}, as a later order is known; ask for change_contacts"
        for number, id, fields in _said_otherwise(before, order)
    ]


def _said_otherwise(before: Sequence[ContactFacts], order: Order) -> Iterator[tuple[int, str, list[str]]]:
    """The contacts of an order of whom it says something else, by place and id, with the fields; none of those who are new."""
    known = {contact.contact_id: contact for contact in before}
    for number, said in enumerate(order.contacts):
        contact = known.get(said.contact_id)
        pairs = contact and (
            ("name", contact.name, said.name),
            ("email", contact.email.lower(), said.email.lower()),
            ("role", contact.role, said.role),
        )
        fields = [name for name, was, now in pairs if was != now] if pairs else []
        if contact is None or fields:
            yield number, said.contact_id, fields
