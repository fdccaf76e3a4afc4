"""What service may sell without leaving the case: within a limit, at the standard price, while nothing else burns."""

from __future__ import annotations

from dataclasses import replace

from domain.frame.case_words import RUNNING
from domain.frame.decision import Decision, JournalLine, Mail
from domain.frame.sales_holds import HoldLevel, Purpose
from domain.frame.service_facts import KnownCase, LeadStatus
from domain.frame.situation import Situation
from domain.frame.state import Outcome
from domain.holds.guard import SALES_HELD, guard_of
from domain.holds.holds import Verdict
from domain.holds.requests import SellFromCase
from domain.holds.writes import FileLead, NoteOnCase, SettleLead
from domain.kernel.base import Write
from domain.kernel.refusals import INVALID_REQUEST, NOT_ALLOWED, Problem, Refusal
from domain.quotes.quote import Quote
from domain.quotes.requests import RequestQuote

SOLD_KINDS = frozenset({"sale", "quantity"})


def without_case(situation: Situation, request: SellFromCase) -> Situation:
    """The situation as it is but for the case that is sold from: its own holds do not count.

    Raises:
        Refusal: the case is unsolved and the purchase does not solve it, another case blocks, or a refund is disputed.
    """
    case = situation.service.case(request.case_id)
    if case is None:
        problem = Problem(field="case_id", problem="is no case of this customer that is open or was resolved lately")
        raise Refusal(INVALID_REQUEST, "nothing can be sold from it", [problem])
    if case.state in RUNNING and not request.solves:
        raise Refusal(
            NOT_ALLOWED, f"case {case.case_id} is {case.state}; solve it first, or say that the purchase solves it"
        )
    if disputed := [one.case_id for one in situation.service.running() if one.refund_dispute]:
        raise Refusal(NOT_ALLOWED, f"the customer is in dispute with us over a refund (case {disputed[0]})")
    others = [one for one in situation.service.cases if one.case_id != case.case_id]
    feedback = [one for one in situation.service.feedback if one.id.removeprefix("csat-") != case.case_id]
    facts = situation.service.having(cases=others, feedback=feedback)
    alone = replace(situation, service=facts)
    decision = guard_of(alone).ask(Purpose.NEW_QUOTE, automatic=False, by=request.by)
    if decision.verdict is Verdict.HELD and decision.level is HoldLevel.BLOCK:
        problems = [Problem(field=hold.source, problem=hold.says) for hold in decision.holds]
        raise Refusal(SALES_HELD, "something else holds sales back from this customer; hand the lead over", problems)
    # A person who serves the customer has read what warns of them: the quote asks for nothing more.
    return replace(alone, service=facts.having(cases=[], feedback=[], manual=[]))


def quote_request(request: SellFromCase, quote_id: str) -> RequestQuote:
    """The quote behind the sale: new units at the standard price, no change downward. Raises `Refusal` for any other line."""
    for n, line in enumerate(request.lines):
        kind = line.get("kind", "sale")
        fewer = kind == "quantity" and not (isinstance(line.get("delta"), int) and line["delta"] > 0)
        if str(kind) not in SOLD_KINDS or fewer:
            said = "service sells new units only: kind sale, or quantity with a delta above 0; hand anything else over"
            raise Refusal(INVALID_REQUEST, "nothing was sold", [Problem(field=f"lines[{n}]", problem=said)])
    return RequestQuote(
        quote_id=quote_id,
        lines=request.lines,
        price_book=request.price_book,
        contract_id=request.contract_id,
        by=request.by,
    )


def check_value(situation: Situation, quote: Quote) -> None:
    """Refuses what is worth more than an agent may sell, or is in a currency without a limit."""
    limit = situation.playbook.service.agent_limits.get(quote.currency)
    if limit is None or quote.totals.amount > limit:
        most = f"{limit} {quote.currency}" if limit is not None else f"nothing in {quote.currency}"
        raise Refusal(
            NOT_ALLOWED,
            f"this comes to {quote.totals.amount} {quote.currency}; service may sell {most}: hand it over as a lead",
        )


def sold(
    situation: Situation, request: SellFromCase, case: KnownCase, quoted: Decision, accepted: Decision, lead_id: str
) -> Decision:
    """The accepted quote with the customer's copy of it, the credit to whoever sold, and a line in the case."""
    contact = situation.customer.contact()
    products = {str(line.get("product") or _product_of(situation, line.get("asset_id"))) for line in request.lines}
    seats = all(line.get("kind") == "quantity" for line in request.lines)
    quote_id = str((accepted.outcome.answer or {}).get("quote_id"))
    filed = FileLead(
        lead_id=lead_id,
        contact_id=contact.contact_id if contact else "",
        product=sorted(products)[0],
        motion="seats" if seats else "cross_sell",
        evidence=f"Sold in case {case.case_id}",
        case_id=case.case_id,
        urgency="medium",
        status=LeadStatus.ACCEPTED,
        sourced_by=request.by,
        routed_to=None,
        due_at=None,
        consent=False,
    )
    answer = {**(accepted.outcome.answer or {}), "lead_id": lead_id, "case_id": case.case_id}
    says = f"Sold in case {case.case_id} by {situation.named(request.by)}"
    writes: list[Write] = [
        filed,
        SettleLead(lead_id, LeadStatus.WON, request.by, "", closed=True, order_id=str(answer.get("order_id"))),
        NoteOnCase(case.case_id, "sold", request.by, {"quote_id": quote_id, "order_id": answer.get("order_id")}),
    ]
    copies = [replace(mail, purpose=Purpose.TRANSACTIONAL) for mail in quoted.mails if isinstance(mail, Mail)]
    return replace(
        accepted,
        outcome=accepted.outcome.having(answer=answer, said=[*accepted.outcome.said, says][:3]),
        writes=[*accepted.writes, *writes],
        mails=[*accepted.mails, *copies],
        more_lines=[*accepted.more_lines, JournalLine(says, name="sold", kind="case_sale")],
    )


def only_written(quoted: Decision) -> Decision:
    """A quote that is accepted in the same breath: on record, and nothing is left to come of it."""
    return replace(quoted, outcome=Outcome(), mails=[], notices=[])


def _product_of(situation: Situation, asset_id: object) -> str:
    asset = situation.customer.asset(str(asset_id))
    return asset.product if asset else ""
