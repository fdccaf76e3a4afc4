"""What a form offers in place of an id to be typed: the customer's own things, our people, and what the catalogue has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from activities.frame.account_filters import AccountFilter
from activities.frame.account_search import find_accounts, segments
from activities.journey import choices
from activities.journey.agenda_facts import load_facts
from activities.kernel.pool import Connection
from domain.frame.state import Step
from domain.frame.step_words import in_words
from domain.journey.catching_up import may_be_left_out
from domain.journey.planning import agenda
from domain.kernel.zones import local_time
from gateway.console.visit import Visit
from gateway.views.pages import LONGEST
from gateway.views.relations import contacts_page
from gateway.views.whose import Whose

MOST = 200
"""Of more nobody chooses: the id is typed."""
FOUND = 20
"""So many customers are offered of those that are found."""
Ids = list[tuple[str, str]]
Known = dict[str, Ids]
"""Ids by the name of the question or its path, each with what it is called."""
ACCOUNTS = frozenset(
    {"transfer_assets.to_account", "merge_account.into", "unmerge_account.account", "identify.account_id"}
)
"""Questions for another customer, by act and path: found by a part of anything that names them."""


@dataclass(frozen=True)
class Asked:
    """For whom lists are made: the act, its customer if that is known, and the case if it is asked of one."""

    connection: Connection
    visit: Visit
    update: str
    of: Whose
    case_id: str | None = None
    read: dict[Any, Any] = field(default_factory=dict)

    async def once(self, statement: Callable[..., Awaitable[Any]], *about: Any) -> Any:
        """What a statement gives, which is asked once for all questions of the form."""
        if statement not in self.read:
            self.read[statement] = await statement(self.connection, *about)
        return self.read[statement]

    def day(self, at: Any) -> str:
        """A day of the customer's."""
        return self.visit.words.day(at, self.of.time_zone)


List = Callable[[Asked], Awaitable[Ids]]


async def _assets(asked: Asked) -> Ids:
    rows = await asked.once(choices.own_assets, asked.of.account_id, asked.of.now)
    t = asked.visit.words
    return [(one["id"], f"{one['product']} × {t.number(one['quantity'])} ({one['id']})") for one in rows]


async def _contracts(asked: Asked) -> Ids:
    rows = await asked.once(choices.own_contracts, asked.of.account_id)
    return [(one["id"], _contract_said(asked, one)) for one in rows]


def _contract_said(asked: Asked, contract: Mapping[str, Any]) -> str:
    """What is sold by it, and until when."""
    t = asked.visit.words
    standing = t(f"contract.{contract['status']}")
    until = "" if contract["open_ended"] or not contract["last_day"] else f" – {t.day(contract['last_day'])}"
    return f"{contract['products'] or contract['id']}{until} ({contract['id']}, {standing})"


async def _contacts(asked: Asked) -> Ids:
    page = await contacts_page(asked.connection, asked.of, None, LONGEST)
    return [(one.contact_id, one.name) for one in page.items]


async def _cases(asked: Asked) -> Ids:
    rows = await asked.once(choices.own_cases, asked.of.account_id)
    return [(one["id"], f"{one['subject']} ({one['id']})") for one in rows if one["id"] != asked.case_id]


async def _orders(asked: Asked) -> Ids:
    rows = await asked.once(choices.own_orders, asked.of.account_id)
    return [(one["id"], f"{one['id']} ({asked.visit.words.day(one['activated_on'])})") for one in rows]


async def _lines(asked: Asked) -> Ids:
    rows = await asked.once(choices.own_lines, asked.of.account_id)
    return [(one["id"], f"{one['id']}: {one['says']}") for one in rows]


async def _products(asked: Asked) -> Ids:
    return [(one["id"], f"{one['name']} ({one['id']})") for one in await asked.once(choices.products)]


def _tasks(*, over: bool) -> List:
    async def found(asked: Asked) -> Ids:
        rows = await asked.once(choices.own_tasks, asked.of.account_id, asked.of.now)
        return [
            (one["id"], f"{asked.day(one['at'])} · {asked.visit.told(one['title'])} ({one['owner']})")
            for one in rows
            if one["over"] is over
        ]

    return found


async def _holds_by_hand(asked: Asked) -> Ids:
    rows = await asked.once(choices.own_holds, asked.of.account_id)
    return [(one["id"], _hold_said(asked, one)) for one in rows if one["placed_by"]]


async def _hold_sources(asked: Asked) -> Ids:
    rows = await asked.once(choices.own_holds, asked.of.account_id)
    return list({one["source"]: (one["source"], _hold_said(asked, one)) for one in rows}.values())


def _hold_said(asked: Asked, hold: Mapping[str, Any]) -> str:
    return f"{asked.day(hold['at'])} · {asked.visit.words.sentence(hold['says'])}"


def _waiting(kind: str, *states: str) -> List:
    """What waits at the customer, of a kind and in one of these states."""

    async def found(asked: Asked) -> Ids:
        rows = await asked.once(choices.waiting_of, asked.of.account_id, asked.visit.words.language)
        ids: dict[str, str] = {}
        for one in rows:
            if one["kind"] == kind and (not states or one["state"] in states):
                ids[one["id"]] = "; ".join(filter(None, (ids.get(one["id"]), waiting_said(asked.visit, asked.of, one))))
        return list(ids.items())

    return found


def waiting_said(visit: Visit, of: Whose, one: Mapping[str, Any]) -> str:
    """What waits at a customer, in words."""
    t, says = visit.words, str(one["says"])
    if one["kind"] == "quote":
        says = f"{one['id']}, {t('documents.version', n=says)}"
    elif one["kind"] == "survey":
        says = t.known(f"portfolio.survey.{says}", says)
    elif one["kind"] == "milestone" and one["about"]:
        says = f"{says} ({one['about']})"
    return f"{says} – {t.day(one['at'], of.time_zone)}"


async def _claims(asked: Asked) -> Ids:
    rows = await asked.once(choices.own_claims, asked.case_id)
    t = asked.visit.words
    return [
        (one["id"], f"{t.known('choice.' + one['kind'], one['kind'])} – {t.day(one['claimed_on'])}") for one in rows
    ]


def _invoices(name: str) -> List:
    async def found(asked: Asked) -> Ids:
        rows = await asked.once(choices.own_invoices, asked.of.account_id)
        return [
            (str(one[name]), f"{one['number']} ({asked.visit.words.day(one['issued_on'])}, {one['currency']})")
            for one in rows
        ]

    return found


def _people(*, agents: bool = False) -> List:
    async def found(asked: Asked) -> Ids:
        rows = await asked.once(choices.people)
        shown = [one for one in rows if one["team"]] if agents else rows
        return [(one["id"], f"{one['name']} ({one['team'] or one['id']})") for one in shown or rows]

    return found


async def _teams(asked: Asked) -> Ids:
    return [(one["id"], one["name"]) for one in await asked.once(choices.teams)]


async def _books(asked: Asked) -> Ids:
    return [(one, one) for one in await asked.once(choices.books)]


async def _segments(asked: Asked) -> Ids:
    return [(one, one) for one in await asked.once(segments)]


async def _steps(asked: Asked) -> Ids:
    facts = await load_facts(asked.connection, asked.of.account_id, asked.of.now, going_on=True)
    t = asked.visit.words
    steps: Iterable[Step] = agenda(facts).plan() if facts else ()
    return [
        (one.key, f"{t.day(local_time(one.at, asked.of.time_zone).date())} · {t.sentence(in_words(one))}")
        for one in steps
        if may_be_left_out(one.kind)
    ]


async def _nothing(asked: Asked) -> Ids:
    """What is given an id here is not on record yet."""
    return []


_LISTS: Mapping[str, List] = {
    "asset_id": _assets,
    "contract_id": _contracts,
    "contact_id": _contacts,
    "hand_over_lead.contact": _contacts,
    "change_contacts.remove": _contacts,
    "transfer_assets.contacts": _contacts,
    "case_id": _cases,
    "merge.into": _cases,
    "product": _products,
    "to_product": _products,
    "order_id": _orders,
    "line_id": _lines,
    "quote_id": _waiting("quote"),
    "accept_quote.quote_id": _waiting("quote", "presented"),
    "task_id": _tasks(over=False),
    "reopen_staff_task.task_id": _tasks(over=True),
    "hold_id": _holds_by_hand,
    "acknowledge_hold.source": _hold_sources,
    "offer_id": _waiting("offer"),
    "lead_id": _waiting("lead"),
    "answer_survey.survey_id": _waiting("survey"),
    "reference_id": _waiting("reference"),
    "task": _waiting("milestone", "open", "waits"),
    "unblock_task.task": _waiting("milestone", "waits"),
    "reopen_task.task": _waiting("milestone", "done"),
    "claim_id": _claims,
    "note_payment.number": _invoices("number"),
    "book_payment.number": _invoices("number"),
    "book_payment.invoice": _invoices("id"),
    "owner": _people(),
    "success_manager": _people(),
    "to": _people(),
    "assign.owner": _people(agents=True),
    "escalate.to": _people(agents=True),
    "team": _teams,
    "price_book": _books,
    "segment": _segments,
    "step": _steps,
    "accept_quote.order_id": _nothing,
    "request_quote.quote_id": _nothing,
    "add_ons.asset_id": _nothing,
    "new_contract.contract_id": _nothing,
    "contacts.contact_id": _nothing,
    "add.contact_id": _nothing,
}
"""What can be chosen from, by act and question where that matters, by its path, or by its name."""
_OF_US = frozenset({"owner", "team", "to", "product", "price_book"})
"""What is known before anybody knows whose case it is."""


async def choices_of(asked: Asked, questions: Collection[tuple[str, str]], sought: Mapping[str, str]) -> Known:
    """What can be chosen from in a form of these questions, each by its path without numbers and its name. sought: what was typed to
    find another customer by, by the path of the question."""
    found: Known = {}
    for path, name in questions:
        question = f"{asked.update}.{path}"
        if question in ACCOUNTS:
            found[path] = await _accounts(asked, sought.get(path, ""))
            continue
        which = next((one for one in (question, path, name) if one in _LISTS), None)
        if which is not None and (asked.of.account_id or name in _OF_US):
            found[path] = await _LISTS[which](asked)
    return found


async def _accounts(asked: Asked, typed: str) -> Ids:
    """Customers that are found by what was typed, of whom the reader may see."""
    if not typed:
        return []
    who = asked.visit.who
    wanted = AccountFilter(seen_by=who.staff_id if who.own_only else None)
    page = await find_accounts(asked.connection, typed, wanted, limit=FOUND)
    return [
        (one["account_id"], f"{one['name']} ({one['account_id']})")
        for one in page.accounts
        if one["account_id"] != asked.of.account_id
    ]
