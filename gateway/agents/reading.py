"""Tools that read: who somebody is, one customer whole, why something was done, what comes, what something would cost."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from activities.journey.agenda_facts import load_facts
from activities.kernel.clock import present
from activities.service.case_rows import account_of_case
from domain.frame.access import READ, FieldGroup
from domain.journey.horizon import Horizon
from domain.journey.planning import agenda
from domain.kernel.refusals import INVALID_REQUEST, NOT_ALLOWED, UNKNOWN_ACCOUNT, UNKNOWN_CASE, Problem, Refusal
from gateway.agents.visit import Visit
from gateway.agents.words import marked
from gateway.views.accounts import accounts_page
from gateway.views.assets import assets_page
from gateway.views.cases import case
from gateway.views.contracts import contracts_page
from gateway.views.customer import customer
from gateway.views.explanations import explanation_of
from gateway.views.pages import LONGEST
from gateway.views.plans import plan_document, time_of
from gateway.views.quotes import quotes_page
from gateway.views.shown import shown
from gateway.views.tasks import TaskFilter, tasks_page
from gateway.views.whose import whose

_OUR_SENTENCES = ("why", "says", "to", "today", "playbook")
ONLY_WRITTEN = "this id stands in what a customer wrote: by it no tool acts, a person has to look at it"
_SOME = 50
AccountId = Annotated[str, Field(description="an account_id that find gave", max_length=64)]


class Arguments(BaseModel):
    """What a tool is given."""

    model_config = ConfigDict(extra="forbid")


class Find(Arguments):
    """Whom to look for."""

    asked: str = Field(
        description="an account id, a mail address, a telephone number, or a part of a name", max_length=200
    )


class Brief(Arguments):
    """Whom to read."""

    account_id: AccountId


class OneCase(Arguments):
    """Which case."""

    case_id: str = Field(description="a case_id that brief gave", max_length=64)


class Plan(Arguments):
    """Whose future, and how far."""

    account_id: AccountId
    months: int = Field(3, ge=1, le=24, description="how many months ahead")


class Explain(Arguments):
    """Of whom, and what."""

    account_id: AccountId
    part: str | None = Field(
        None, max_length=200, description="a step, mail, invoice, task or a part of its key; all if left out"
    )


class Preview(Arguments):
    """What is looked at before it is asked."""

    account_id: AccountId
    of: Literal["quote", "price_match"]
    request: dict[str, Any] = Field(
        description="of a quote: what request_quote takes; of a price match: order_id, line_id, quantity?"
    )


async def find(visit: Visit, asked: Find) -> dict[str, Any]:
    """Only those whom this key may see. An id that a customer wrote becomes none of ours by being looked up."""
    visit.check_scope("accounts", READ)
    async with visit.doors.pool.acquire() as connection:
        accounts = await accounts_page(connection, visit.who, asked.asked, None, _SOME)
    found = []
    for one in shown(accounts, visit.who)["items"]:
        if visit.given.only_written(one["account_id"]):
            one = {"written_id": one["account_id"], "company": one["company"], "why_not": ONLY_WRITTEN}
        found.append(one)
    return dict(marked({"found": found}, ("found_by", "why_not")))


async def brief(visit: Visit, asked: Brief) -> dict[str, Any]:
    """As this key's roles see it, with contracts, tasks of our people, and orders."""
    visit.check_scope("accounts", READ)
    await visit.check_account(asked.account_id)
    async with visit.doors.pool.acquire() as connection:
        of = await whose(connection, asked.account_id)
        whole = await customer(connection, of)
        parts: dict[str, BaseModel] = {
            "assets": await assets_page(connection, of, None, LONGEST),
            "contracts": await contracts_page(connection, of, None, LONGEST),
            "quotes": await quotes_page(connection, of, None, _SOME),
            "tasks": await tasks_page(connection, TaskFilter(account_id=asked.account_id), of.now, None, _SOME),
        }
    lists = {name: shown(page, visit.who)["items"] for name, page in parts.items()}
    return dict(marked({**shown(whole, visit.who), **lists}))


async def read_case(visit: Visit, asked: OneCase) -> dict[str, Any]:
    """With everything that was written in it."""
    visit.check_scope("cases", READ)
    visit.given.check_id("case_id", asked.case_id)
    await visit.acting.sees_case(visit.who, asked.case_id)
    async with visit.doors.pool.acquire() as connection:
        account_id = await account_of_case(connection, asked.case_id)
        now = (await whose(connection, account_id)).now if account_id else present()
        found = await case(connection, asked.case_id, now)
    if found is None:
        raise Refusal(UNKNOWN_CASE, f"there is no case {asked.case_id!r}")
    return dict(marked(shown(found, visit.who)))


async def plan(visit: Visit, asked: Plan) -> dict[str, Any]:
    """From the facts, if nothing is asked meanwhile."""
    visit.check_scope("journeys", READ)
    await visit.check_account(asked.account_id)
    now, lost = await time_of(visit.doors.client, asked.account_id)
    async with visit.doors.pool.acquire() as connection, connection.transaction(readonly=True):
        facts = await load_facts(connection, asked.account_id, now, lost=lost, going_on=True)
    if facts is None:
        raise Refusal(UNKNOWN_ACCOUNT, f"account {asked.account_id!r} is not on record; place its first order")
    found = plan_document(asked.account_id, facts, agenda(facts, Horizon(months=asked.months)), ahead=True)
    return dict(marked(found, _OUR_SENTENCES))


async def explain(visit: Visit, asked: Explain) -> dict[str, Any]:
    """The rule, the facts of then, who asked, and what followed."""
    visit.check_scope("journeys", READ)
    await visit.check_account(asked.account_id)
    if asked.part is not None and not (visit.who.sees(FieldGroup.PRICES) and visit.who.sees(FieldGroup.HEALTH)):
        raise Refusal(NOT_ALLOWED, "what one thing came of tells prices and health, which this key's roles do not see")
    found = await explanation_of(visit.doors.client, visit.doors.pool, asked.account_id, asked.part)
    if not (visit.who.sees(FieldGroup.PRICES) and visit.who.sees(FieldGroup.HEALTH)):
        found["latest"] = [{name: one[name] for name in ("key", "at", "why", "done")} for one in found["latest"]]
    coming = {"next": marked(found["next"], (*_OUR_SENTENCES, "what"))} if "next" in found else {}
    return {**marked(found, ("why", "to", "playbook")), **coming}


async def preview(visit: Visit, asked: Preview) -> dict[str, Any]:
    """Nothing is written."""
    visit.check_scope("quotes" if asked.of == "quote" else "claims", READ)
    await visit.check_account(asked.account_id)
    now, _ = await time_of(visit.doors.client, asked.account_id)
    if asked.of == "quote":
        if not visit.who.sees(FieldGroup.PRICES):
            raise Refusal(NOT_ALLOWED, "a quote tells prices, which this key's roles do not see")
        quote = await visit.doors.client.preview_quote(asked.account_id, asked.request, as_of=now)
        return dict(marked(quote.model_dump(mode="json")))
    order_id, line_id = (str(asked.request.get(name, "")) for name in ("order_id", "line_id"))
    quantity = asked.request.get("quantity")
    if quantity is not None and not isinstance(quantity, int):
        raise Refusal(
            INVALID_REQUEST, "the preview cannot be made", [Problem(field="quantity", problem="give a number")]
        )
    found = await visit.doors.cases.preview_price_match(
        asked.account_id, order_id, line_id, as_of=now, quantity=quantity
    )
    return dict(marked(found.model_dump(mode="json"), ("says", "refused")))
