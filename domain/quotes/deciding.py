"""A quote's way until the customer has answered: approval with a reminder and an end, presentation, expiry."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from domain.assets.model import SellingModel
from domain.frame.approvals import approval_notice
from domain.frame.decision import Decision, JournalLine, Mail, Notice
from domain.frame.keys import StageId, StageKind
from domain.frame.notice_acts import act
from domain.frame.sales_holds import Purpose
from domain.frame.situation import Situation
from domain.frame.state import Outcome, Stage, Step
from domain.frame.step_words import plain
from domain.holds.guard import guard_of
from domain.kernel.base import Write
from domain.kernel.money import half_up, money, to_minor_unit
from domain.kernel.refusals import NOT_ALLOWED, Refusal, named_refusals
from domain.quotes import versions
from domain.quotes.asking import Sources, StoredQuote, instant_of, make_quote, next_version
from domain.quotes.quote import Quote, QuoteLine
from domain.quotes.requests import ApproveQuote, DeclineQuote, RequestQuote
from domain.quotes.versions import QuoteFile, QuoteState
from domain.quotes.writes import NoteContract, PaperStatus, SaveQuote

IN_APPROVAL = QuoteState.IN_APPROVAL.value
PRESENTED = QuoteState.PRESENTED.value
LINES_SHOWN = 50
SYSTEM = "system"


def stage_of(quote_id: str) -> str:
    """The id of a quote's stage."""
    return str(StageId(StageKind.QUOTE, quote_id))


def ask(situation: Situation, request: RequestQuote, sources: Sources, stored: StoredQuote | None) -> Decision:
    """The quote, shown to the customer at once, or held until somebody approves of its discounts.

    Raises `Refusal` (SalesHeld) while service holds sales back from the customer, or from the one product that it is about.
    """
    products = products_of(situation, request)
    guard_of(situation).require(Purpose.NEW_QUOTE, products[0] if len(products) == 1 else None, by=request.by)
    version = next_version(situation, request, stored)
    quote = make_quote(situation, request, sources, instant_of(situation, request), version)
    at, by = situation.as_of, request.by
    with named_refusals():
        draft = versions.open_file(quote, by) if stored is None else versions.revise(stored.file, quote, by)
        submitted = versions.submit(draft, situation.playbook.quoting.limits, at, by)
    asked = StoredQuote(situation.customer.account.account_id, submitted, by, request.new_contract)
    before = stored.file if stored else None
    if submitted.state is QuoteState.IN_APPROVAL:
        return _held(situation, asked, before)
    return _presented(situation, asked, before, f"Quote {_name(submitted)} made")


def products_of(situation: Situation, request: RequestQuote) -> list[str]:
    """The products that the lines of a request are about, each once."""
    known = {asset.asset_id: asset.product for asset in situation.customer.assets}
    named = [line.get("product") or known.get(str(line.get("asset_id")), "") for line in request.lines]
    return sorted({str(product) for product in named})


def _held(situation: Situation, asked: StoredQuote, before: QuoteFile | None) -> Decision:
    quote, approval = asked.file.current, asked.file.approval
    if approval is None:
        raise ValueError(f"{quote.quote_id} is held without anybody to ask")
    stage, name = stage_of(quote.quote_id), _name(asked.file)
    remind, give_up = approval_steps(situation, quote.quote_id, quote.version)
    role = plain(approval.role)
    says = f"Quote {name} waits for approval by {role}: {_percent(approval.percent)} off"
    lines = [
        f"Asked by {situation.named(asked.requested_by)} as {plain(quote.role)}; {role} may give"
        f" {_percent(approval.percent)}.",
        f"{approval.discount.amount} {quote.currency} off {quote.totals.amount + approval.discount.amount} {quote.currency}.",
        f"Without an answer it is rejected on {give_up.on}.",
    ]
    return Decision(
        JournalLine(says, kind="quote_held", detail={"quote_id": quote.quote_id, "version": quote.version}),
        Outcome(
            drop=[stage],
            plan=[remind, give_up],
            stages={stage: Stage(status=IN_APPROVAL, until=give_up.at)},
            attention={_attention(quote.quote_id): says},
            said=[says],
            answer=answer_of(asked.file),
        ),
        [_save(asked, before, due_at=give_up.at)],
        notices=[_asking(situation, asked, says, lines, give_up.at)],
    )


def _asking(situation: Situation, stored: StoredQuote, says: str, lines: list[str], due: datetime) -> Notice:
    """What whoever decides on a quote's discounts reads."""
    how = act("approve", quote_id=stored.file.current.quote_id)
    return approval_notice(situation.customer, stored.requested_by, says, lines, due, how)


def approval_steps(situation: Situation, quote_id: str, version: int) -> tuple[Step, Step]:
    """The reminder and the end of an approval that is asked for now."""
    terms, stage = situation.playbook.quoting, stage_of(quote_id)
    return (
        situation.step("quote_reminder", stage, f"remind-v{version}", situation.in_days(terms.remind_after)),
        situation.step("quote_give_up", stage, f"give-up-v{version}", situation.in_days(terms.give_up_after)),
    )


def expiry_step(situation: Situation, quote_id: str, version: int, valid_until: datetime) -> Step:
    """The end of a quote that nobody takes."""
    return Step(
        kind="quote_expiry",
        stage=stage_of(quote_id),
        name=f"expiry-v{version}",
        at=valid_until,
        on=situation.customer.day_of(valid_until),
    )


def _presented(situation: Situation, stored: StoredQuote, before: QuoteFile | None, says: str) -> Decision:
    """The quote goes to the customer, and lapses when its time is over."""
    with named_refusals():
        file = versions.present(stored.file, situation.as_of, SYSTEM)
    quote, stage = file.current, stage_of(file.quote_id)
    expiry = expiry_step(situation, quote.quote_id, quote.version, quote.valid_until)
    writes: list[Write] = [_save(replace(stored, file=file), before)]
    if drafted := draft_contract(file, stored):
        writes.append(NoteContract(drafted, PaperStatus.DRAFTED, situation.as_of, quote.quote_id, quote.version))
    return Decision(
        JournalLine(says, detail={"quote_id": quote.quote_id, "version": quote.version}),
        Outcome(
            drop=[stage],
            plan=[expiry],
            stages={stage: Stage(status=PRESENTED, until=quote.valid_until)},
            attention={_attention(quote.quote_id): None} if before is not None else {},
            said=[says],
            answer=answer_of(file),
        ),
        writes,
        [
            Mail(
                "quote_presented",
                _context(situation, quote),
                purpose=Purpose.NEW_QUOTE,
            )
        ],
    )


def draft_contract(file: QuoteFile, stored: StoredQuote) -> str | None:
    """The id of the first contract that the quote would make; null if it sells nothing for a term of its own."""
    quote = file.current
    if quote.contract is not None or not any(is_termed_sale(line) for line in quote.lines):
        return None
    return stored.terms.contract_id or f"{quote.quote_id}-1"


def is_termed_sale(line: QuoteLine) -> bool:
    """True for a line that sells something for a term."""
    return line.kind == "sale" and line.end is not None


def approve(situation: Situation, request: ApproveQuote, stored: StoredQuote) -> Decision:
    """Whoever is asked approves, and the quote goes out; or rejects, and it is a draft again."""
    _check_version(stored, request.version)
    if request.by == stored.requested_by:
        raise Refusal(NOT_ALLOWED, f"{request.by} asked for quote {stored.file.quote_id}; somebody else has to decide")
    limits = situation.playbook.quoting.limits
    with named_refusals():
        approved = versions.approve(stored.file, limits, request.role, situation.as_of, request.by)
    if request.decision == "reject":
        return _rejected(situation, stored, request.by, request.role, request.reason)
    says = f"Quote {_name(stored.file)} approved by {situation.named(request.by)} ({plain(request.role)})"
    decision = _presented(situation, replace(stored, file=approved), stored.file, says)
    return replace(
        decision,
        writes=[
            replace(write, decided_role=request.role) if isinstance(write, SaveQuote) else write
            for write in decision.writes
        ],
        notices=[Notice(says, ["It goes to the customer now."], to="owner")],
    )


def _rejected(situation: Situation, stored: StoredQuote, by: str, role: str | None, reason: str) -> Decision:
    with named_refusals():
        draft = versions.reject(stored.file, situation.as_of, by, reason)
    stage = stage_of(draft.quote_id)
    says = f"Quote {_name(draft)} rejected: {reason}"
    return Decision(
        JournalLine(says, detail={"quote_id": draft.quote_id, "version": draft.current.version, "reason": reason}),
        Outcome(
            drop=[stage],
            stages={stage: None},
            attention={_attention(draft.quote_id): None},
            said=[says],
            answer=answer_of(draft),
        ),
        [replace(_save(replace(stored, file=draft), stored.file), decided_role=role, timed_out=by == SYSTEM)],
        notices=[Notice(says, ["Ask again with other discounts: the next version."], to="owner")],
    )


def remind(situation: Situation, step: Step, stored: StoredQuote | None) -> Decision:
    """Whoever is asked has not decided yet."""
    if stored is None or not _waits(stored, step):
        return Decision(JournalLine("Approval: decided meanwhile", kind="skipped"))
    approval = stored.file.approval
    role = plain(approval.role) if approval else "somebody"
    says = f"Quote {_name(stored.file)} still waits for approval by {role}"
    terms = situation.playbook.quoting
    due_at, _ = situation.customer.morning(situation.in_days(terms.give_up_after - terms.remind_after))
    notice = _asking(situation, stored, says, ["Approve or reject it."], due_at)
    return Decision(JournalLine(says), Outcome(said=[says]), notices=[notice])


def give_up(situation: Situation, step: Step, stored: StoredQuote | None) -> Decision:
    """Nobody has decided in time: the quote is rejected."""
    if stored is None or not _waits(stored, step):
        return Decision(JournalLine("Approval: decided meanwhile", kind="skipped"))
    if situation.as_of >= stored.file.current.valid_until:
        return _expired(situation, stored)
    decision = _rejected(situation, stored, SYSTEM, None, "nobody approved of it in time")
    return replace(decision, outcome=decision.outcome.having(answer=None))


def _waits(stored: StoredQuote, step: Step) -> bool:
    version = int(step.name.rpartition("-v")[2])
    return stored.file.state is QuoteState.IN_APPROVAL and stored.file.current.version == version


def decline(situation: Situation, request: DeclineQuote, stored: StoredQuote) -> Decision:
    """The customer does not take it."""
    _check_version(stored, request.version)
    with named_refusals():
        file = versions.decline(stored.file, situation.as_of, request.by, request.reason or None)
    says = f"Quote {_name(file)} declined: {request.reason or 'no reason given'}"
    return _over(situation, stored, file, says, answer_of(file))


def expire(situation: Situation, step: Step, stored: StoredQuote | None) -> Decision:
    """The quote's time is over, and nobody has taken it."""
    version = int(step.name.rpartition("-v")[2])
    over = (QuoteState.ACCEPTED, QuoteState.DECLINED, QuoteState.EXPIRED)
    if stored is None or stored.file.state in over or stored.file.current.version != version:
        return Decision(JournalLine("Quote was answered", kind="skipped"))
    return _expired(situation, stored)


def _expired(situation: Situation, stored: StoredQuote) -> Decision:
    with named_refusals():
        file = versions.expire(stored.file, situation.as_of, SYSTEM)
    return _over(situation, stored, file, f"Quote {_name(file)} expired", None)


def _over(
    situation: Situation, stored: StoredQuote, file: QuoteFile, says: str, answer: dict[str, Any] | None
) -> Decision:
    stage, quote = stage_of(file.quote_id), file.current
    outcome = Outcome(drop=[stage], stages={stage: None}, attention={_attention(file.quote_id): None}, said=[says])
    writes: list[Write] = [_save(replace(stored, file=file), stored.file)]
    if drafted := draft_contract(file, stored):
        writes.append(NoteContract(drafted, PaperStatus.WITHDRAWN, situation.as_of, quote.quote_id, quote.version))
    return Decision(
        JournalLine(says, detail={"quote_id": file.quote_id, "version": quote.version}),
        outcome + Outcome(answer=answer) if answer else outcome,
        writes,
        notices=[Notice(says, [f"It came to {quote.totals.amount} {quote.currency}."], to="owner")],
    )


def check_version(file: QuoteFile, version: int | None) -> None:
    """Refuses what is said of another version than the latest."""
    if version not in (None, file.current.version):
        raise Refusal(
            NOT_ALLOWED, f"quote {file.quote_id} is at version {file.current.version}, not {version}; look at it again"
        )


def _check_version(stored: StoredQuote, version: int | None) -> None:
    check_version(stored.file, version)


def _save(stored: StoredQuote, before: QuoteFile | None, **more: Any) -> SaveQuote:
    return SaveQuote(before, stored.file, stored.requested_by, stored.terms.model_dump(mode="json"), **more)


def _name(file: QuoteFile) -> str:
    return file.quote_id if file.current.version == 1 else f"{file.quote_id} version {file.current.version}"


def _attention(quote_id: str) -> str:
    return str(StageId(StageKind.QUOTE, quote_id))


def _percent(value: Decimal) -> str:
    return f"{half_up(2).apply(value).normalize():f} per cent"


def answer_of(file: QuoteFile) -> dict[str, Any]:
    """What the sender is told: where the quote stands, the instant it was made for, and what it comes to."""
    quote = file.current
    answer: dict[str, Any] = {
        "quote_id": quote.quote_id,
        "version": quote.version,
        "state": file.state.value,
        "as_of": quote.as_of.isoformat(),
        "valid_until": quote.valid_until.isoformat(),
        "price_book": quote.price_book,
        "totals": quote.totals.model_dump(mode="json"),
    }
    if file.approval is not None and file.state is QuoteState.IN_APPROVAL:
        answer["approval"] = {"role": file.approval.role, "percent": _plain(file.approval.percent)}
    if len(quote.lines) <= LINES_SHOWN:
        answer["lines"] = [
            {
                "line_id": line.line_id,
                "asset_id": line.asset_id,
                "product": line.product,
                "quantity": line.quantity,
                "amount": None if line.amount is None else str(line.amount),
                "monthly": None if line.monthly is None else str(line.monthly),
            }
            for line in quote.lines
        ]
    return answer


def _plain(value: Decimal) -> str:
    return format(half_up(2).apply(value).normalize(), "f")


def _context(situation: Situation, quote: Quote) -> dict[str, Any]:
    currency = quote.currency
    lines = [
        {
            "product": line.name or line.product,
            "quantity": line.quantity,
            "unit_price": money(price, currency).told(),
            "per": per,
            "amount": to_minor_unit(line.amount or Decimal(0), currency).told(),
        }
        for line in quote.lines[:LINES_SHOWN]
        for price, per in [_unit_price(line)]
    ]
    return {
        "quote_id": quote.quote_id,
        "version": quote.version,
        "lines": lines,
        "more": [
            _more(situation, line)
            for line in quote.lines[:LINES_SHOWN]
            if line.kind == "quantity" and line.quantity > 0
        ],
        "total": to_minor_unit(quote.totals.amount, currency).told(),
        "mrr_change": to_minor_unit(quote.totals.monthly, currency).told(),
        "valid_until": situation.customer.last_day_before(quote.valid_until).isoformat(),
    }


def _more(situation: Situation, line: QuoteLine) -> dict[str, Any]:
    """Units that come beside those that they have: how many, from which day to which, and beside how many."""
    customer = situation.customer
    asset = next((one for one in customer.assets if one.asset_id == line.asset_id), None)
    held = asset.at(line.effective) if asset is not None else None
    return {
        "product": line.name or line.product,
        "quantity": line.quantity,
        "from": customer.day_of(line.effective).isoformat(),
        "until": customer.last_day_before(line.end).isoformat() if line.end is not None else None,
        "beside": held.quantity if held is not None else None,
    }


def _unit_price(line: QuoteLine) -> tuple[Decimal, str]:
    """A line's unit price and what it pays for; where every lot has its own, that of the first."""
    if line.pricing is not None and line.pricing.ledger_price is not None:
        return line.pricing.net_price, line.pricing.per.value
    once = line.selling_model is SellingModel.ONE_TIME
    return (line.parts[0].unit_price if line.parts else None) or Decimal(0), "once" if once else "month"
