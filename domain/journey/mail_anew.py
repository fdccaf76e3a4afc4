"""A mail that could not leave when it was written is decided anew by the facts of the moment at which it goes: it is dropped
with a reason, or says what is so by then. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from domain.billing import dunning
from domain.billing.dunning import DunningFacts
from domain.contracts import parting
from domain.contracts.renewal_quote import last_day
from domain.frame import lateness
from domain.frame.customer import ContactFacts, ContractStatus, Customer
from domain.frame.decision import Decision
from domain.frame.mail_kinds import template_of
from domain.frame.people_facts import ChangeOf
from domain.frame.service_facts import WrittenMail
from domain.frame.situation import Situation
from domain.frame.state import Step
from domain.holds import holding
from domain.orders.order import ContactRole
from domain.success import adoption, conversation, expansion, introducing, low_scores, onboarding, reorder, thanks

Context = dict[str, Any]
_Told = Callable[[Situation, Context, WrittenMail], Context | str]
NOT_SO = "it is not so any more"
GONE = "who it was for is no contact any more"
PERSONAL = frozenset({"opted_out"})
"""What is owed to whoever asked for it, and to nobody else."""


def review(situation: Situation, step: Step) -> Decision:
    """The look at what holds a customer, at which a mail that may go is decided anew."""
    return holding.review(situation, step, decided)


def decided(situation: Situation, mail: WrittenMail, owed: DunningFacts | None = None) -> dict[str, Any] | str:
    """What is changed of the message, by the names of its fields (nothing: it leaves as it is); or why it is dropped. owed: what is
    overdue, for a mail about that."""
    said = lateness.on_day(mail.template, mail.context, situation.customer.day_of(mail.created_at), situation.today)
    if isinstance(said, str):
        return said
    contact = next((one for one in situation.customer.contacts if one.contact_id == mail.contact_id), None)
    if mail.optional and (why := _unwanted(contact, mail.template)) is not None:
        return why
    if isinstance(reader := _reader(situation.customer, mail, contact), str):
        return reader
    told = _TOLD.get(mail.template)
    told_now = told(situation, said, mail) if told else said
    if owed is not None:
        told_now = dunning.told_now(said, owed)
    if isinstance(told_now, str):
        return told_now
    people = situation.customer
    signer = people.success_manager if mail.optional else people.owner
    context = {**told_now, "company": people.account.name, "sender_name": signer.name}
    changes: dict[str, Any] = {}
    if reader is not None and not reader.rejected:
        context["contact_name"] = reader.name
        changes = {"to_name": reader.name, "to_email": reader.email, "language": reader.language}
    changes |= {"context": context, "reply_to": signer.email}
    return changes


def _reader(customer: Customer, mail: WrittenMail, contact: ContactFacts | None) -> ContactFacts | str | None:
    """Who gets what is owed if it was written to somebody who is gone, or whom nothing reaches any more; or why nobody does."""
    if mail.contact_id is None or (contact is not None and not contact.rejected):
        return contact
    template = template_of(mail.template)
    sponsors = {one.about for one in customer.changes if one.what is ChangeOf.SPONSOR}
    own = mail.template in PERSONAL or (ContactRole.SPONSOR in template.copies and mail.contact_id in sponsors)
    if own and contact is None:
        return GONE
    return (None if own else customer.contact(template.role)) or contact


def _unwanted(contact: ContactFacts | None, template: str) -> str | None:
    if contact is None:
        return GONE
    if contact.unsubscribed:
        return "who it is for wants no optional mails any more"
    if not contact.wants(template):
        return "who it is for wants no mails of this kind any more"
    return "the address was refused for good" if contact.rejected else None


def _check_in(situation: Situation, context: Context, _: WrittenMail) -> Context | str:
    if not situation.customer.holds_term(situation.as_of):
        return "nothing sold for a term is left"
    next_on = context.get("next_on")
    if situation.kept is not None:
        coming = min((day for day in situation.kept if day > situation.today), default=None)
        next_on = adoption.next_told(situation, coming) if coming is not None and next_on is not None else None
    low = low_scores.as_it_stands(situation, context["low"]) if context.get("low") else None
    return {**context, **conversation.reported(situation), "next_on": next_on, "low": low}


def _of_use(template: str) -> _Told:
    def told(situation: Situation, context: Context, _: WrittenMail) -> Context | str:
        found = adoption.mail_of(situation, template)
        return {**context, **found.context} if found is not None else NOT_SO

    return told


def _reorder_check_in(situation: Situation, context: Context, _: WrittenMail) -> Context | str:
    asked = reorder.asked(situation)
    if asked is None or asked["last_order"] != context["last_order"]:
        return "an order came meanwhile"
    return {**context, **asked}


def _survey(situation: Situation, context: Context, _: WrittenMail) -> Context | str:
    survey = situation.customer.survey(str(context.get("survey_id")))
    return "the survey was answered" if survey is not None and survey.score is not None else context


def _reference(situation: Situation, context: Context, _: WrittenMail) -> Context | str:
    answered = {one.reference_id for one in situation.customer.references if one.answer is not None}
    return "it was answered" if context.get("reference_id") in answered else context


def _upsell_offer(situation: Situation, context: Context, _: WrittenMail) -> Context | str:
    offer = situation.customer.offer(context["offer_id"])
    if offer is None or not offer.is_open or offer.expires_at <= situation.as_of:
        return "the offer is not open any more"
    figures = expansion.figures(situation, offer)
    return {**context, **figures} if figures is not None else NOT_SO


def _touch(situation: Situation, context: Context, mail: WrittenMail) -> Context | str:
    since = situation.customer.day_of(situation.customer.account.since)
    moment = template_of(mail.template).moment
    if moment is not None and (situation.today - since).days > moment:
        return "its day is over"
    why = onboarding.no_touch(situation, mail.stage)
    return why if why is not None else {**context, **onboarding.touched(situation, mail.stage)}


def _go_live(situation: Situation, context: Context, _: WrittenMail) -> Context:
    return {**context, "unhappy": low_scores.is_open(situation)}


def _anniversary(situation: Situation, context: Context, _: WrittenMail) -> Context | str:
    why = thanks.no_thanks(situation)
    return why if why is not None else context


def _done(situation: Situation, mail: WrittenMail) -> list[dict[str, str]]:
    """The titles of the tasks of the mail's onboarding that nobody has to do any more."""
    return [task.title for task in situation.customer.tasks if task.stage == mail.stage and not task.is_open]


def _task(situation: Situation, context: Context, mail: WrittenMail) -> Context | str:
    return "the task is done" if context.get("title") in _done(situation, mail) else context


def _moved(situation: Situation, context: Context, mail: WrittenMail) -> Context | str:
    """Of the tasks with a new date, those that are open still have it; a later date is told by a later mail."""
    own = {str(t.title): t for t in situation.customer.tasks if t.stage == mail.stage and t.is_open}
    so = [one for one in context["tasks"] if (t := own.get(str(one["title"]))) and t.due_on.isoformat() == one["due"]]
    return {**context, "tasks": so} if so else NOT_SO


def _welcome(situation: Situation, context: Context, mail: WrittenMail) -> Context:
    done = _done(situation, mail)
    return {**context, "tasks": [task for task in context.get("tasks") or [] if task["title"] not in done]}


def _of_contract(*statuses: ContractStatus) -> _Told:
    def told(situation: Situation, context: Context, _: WrittenMail) -> Context | str:
        contract = situation.customer.contract(context["contract_id"]) if context.get("contract_id") else None
        return context if contract is None or contract.status in statuses else NOT_SO

    return told


def _contract_ended(situation: Situation, context: Context, mail: WrittenMail) -> Context | str:
    """One that goes on in part has not ended."""
    return context if context.get("goes_on") else _of_contract(ContractStatus.ENDED)(situation, context, mail)


def _renewal_notice(situation: Situation, context: Context, mail: WrittenMail) -> Context | str:
    """A term that was renewed, moved or declined meanwhile is told of by other mails."""
    contract = situation.customer.contract(context["contract_id"])
    if (
        contract is None
        or contract.status == ContractStatus.ENDED
        or (contract.status == ContractStatus.DECLINED and not context.get("quote"))
    ):
        return NOT_SO
    if last_day(contract.term).isoformat() != context["term_end"]:
        return NOT_SO
    offered, quote = (contract.offered.version if contract.offered else 1), context.get("quote")
    if quote and quote.get("version", 1) != offered:
        return "another version of the quote was offered meanwhile"
    written_on = situation.customer.day_of(mail.created_at)
    return context if written_on == situation.today else {**context, "value": None}


_NEWS = {
    "offered": (ContractStatus.ACTIVE,),
    "confirmed": (ContractStatus.ACTIVE,),
    "declined": (ContractStatus.DECLINED,),
    "ended": (ContractStatus.ENDED,),
}


def _contract_news(situation: Situation, context: Context, mail: WrittenMail) -> Context | str:
    return _of_contract(*_NEWS[context["what"]])(situation, context, mail)


def _introduction(situation: Situation, context: Context, _: WrittenMail) -> Context | str:
    if "since" not in context:
        return context  # written by an earlier release
    said = introducing.introduced_now(situation, context)
    return said if said is not None else "somebody else looks after them meanwhile"


def _contact_welcome(situation: Situation, context: Context, mail: WrittenMail) -> Context | str:
    contact = situation.customer.contact(contact_id=mail.contact_id) if mail.contact_id else None
    return {**context, **introducing.welcome(situation, contact)} if contact is not None else NOT_SO


def _win_back(situation: Situation, context: Context, _: WrittenMail) -> Context | str:
    why = parting.no_win_back(situation, situation.customer.contract(context["contract_id"]))
    return why if why is not None else context


def _quote(_: Situation, context: Context, mail: WrittenMail) -> Context | str:
    return "the quote is not open any more" if mail.quote_over else context


_TOLD: Mapping[str, _Told] = {
    "onboarding_moved": _moved,
    "check_in": _check_in,
    "outreach": _of_use("outreach"),
    "recovered": _of_use("recovered"),
    "reorder_check_in": _reorder_check_in,
    "survey": _survey,
    "reference": _reference,
    "upsell_offer": _upsell_offer,
    "touch_day_1": _touch,
    "touch_month_1": _touch,
    "touch_anniversary": _anniversary,
    "go_live": _go_live,
    "onboarding_invite": _task,
    "onboarding_reminder": _task,
    "welcome": _welcome,
    "quote_presented": _quote,
    "renewal_notice": _renewal_notice,
    "contract_news": _contract_news,
    "win_back": _win_back,
    "introduction": _introduction,
    "contact_welcome": _contact_welcome,
    "renewal_grace": _of_contract(ContractStatus.GRACE),
    "contract_ended": _contract_ended,
}
