"""Answering: what a reply asks as the request that does it, for the survey, the quote, the offer or the renewal that it answers."""

from __future__ import annotations

from typing import Any

from domain.kernel.base import Carried
from domain.mail.asks import Act, Answered, Ask, Question
from domain.mail.choices import PageChoice, Pick
from domain.mail.reading import InboundMail
from domain.orders.order import ContactRole

DECIDES = (ContactRole.MAIN, ContactRole.SPONSOR, ContactRole.BILLING)
"""roles of contacts whose word changes a contract"""

_COMMENT_LIMIT = 1000
_REASON_LIMIT = 300
_SURVEY, _CASE_SURVEY = "survey", "case_survey"
_NOTES = ("answer_reference",)


class SentMail(Carried):
    """A mail of ours that came back or was answered."""

    delivery_id: str
    account_id: str | None = None
    contact_id: str | None = None
    email: str = ""
    """where it went"""
    current: bool = True
    """its contact has that address still"""
    role: ContactRole | None = None
    """of its contact, today"""
    person: str = ""
    """the address of whoever's name it carries"""
    template: str = ""
    several: bool = False
    """other questions stood in the same message"""
    surveyed: dict[str, Any] | None = None
    """what the survey was filled with that left in the same message"""
    context: dict[str, Any] = {}
    """what the template was filled with"""


class Thing(Carried):
    """A quote, an offer or a contract that a mail names, by its own id."""

    question: Question
    id: str
    account_id: str


class Door(Carried):
    """The request that takes an answer: of the case `case_id`, else of the customer's journey."""

    update: str
    request: dict[str, Any]
    case_id: str | None = None


class Wish(Carried):
    """What a mail asks for, of whose account, in words, and the request that does it."""

    ask: Ask
    account_id: str | None
    words: str
    door: Door | None = None

    @property
    def binds(self) -> bool:
        """True for what not any contact may say: a yes or a no about a contract. All else becomes a quote, or a note."""
        return self.ask.act in (Act.ACCEPT, Act.DECLINE) and self.door is not None and self.door.update not in _NOTES


def asked_in(sent: SentMail | None) -> Answered | None:
    """What a mail of ours had asked; null if none is answered."""
    if sent is None:
        return None
    if sent.several:
        return Answered(question=Question.MAIL)  # which one is meant has to be named
    template, context = (_SURVEY, sent.surveyed) if sent.surveyed is not None else (sent.template, sent.context)
    numbers = tuple(map(str, (context.get("numbers") or {}).values()))
    match template:
        case "survey" if context.get("question_kind") == "nps":
            return Answered(question=Question.SURVEY, id=str(context["survey_id"]), low=0, high=10)
        case "survey" if context.get("question_kind") == "ces":
            return Answered(question=Question.SURVEY, id=str(context["survey_id"]), low=1, high=7)
        case "case_survey":
            return Answered(question=Question.SURVEY, id=str(context["survey_id"]), low=1, high=5)
        case "reference":
            return Answered(question=Question.REFERENCE, id=str(context["reference_id"]))
        case "quote_presented":
            return Answered(question=Question.QUOTE, id=str(context["quote_id"]), also=numbers)
        case "upsell_offer":
            return Answered(question=Question.OFFER, id=str(context["offer_id"]), also=numbers)
        case "renewal_notice" | "renewal_grace" if template == "renewal_notice" or context.get("quote"):
            quote = context.get("quote") or {}
            quoted = (str(quote["quote_id"]),) if "quote_id" in quote else ()
            return Answered(question=Question.RENEWAL, id=str(context["contract_id"]), also=(*quoted, *numbers))
        case "renewal_declined" | "contract_ended" if context.get("asks_why"):
            return Answered(question=Question.FAREWELL)
        case _:
            return Answered(question=Question.MAIL)


def wish_of(
    ask: Ask, mail: InboundMail, sent: SentMail | None, thing: Thing | None, account_id: str | None
) -> Wish | None:
    """The wish in a mail that can be done by itself; null if a person has to read it.

    Args:
        thing: what the ask is about, if it is a quote, an offer or a contract that exists; with a wish to renew, the
            contract that it can only mean.
        account_id: whose mail was answered, else whose contact wrote, if that is one customer.
    """
    asked = asked_in(sent)
    score = _score(ask, mail, sent, asked)
    match ask.act:
        case Act.UNSUBSCRIBE:
            return Wish(ask=ask, account_id=account_id, words="stop optional mails", door=score)
        case Act.SCORE if score is not None:
            return Wish(ask=ask, account_id=account_id, words=f"answer the survey with {ask.score}", door=score)
        case Act.ACCEPT | Act.DECLINE if asked is not None and asked.question is Question.REFERENCE:
            return _reference(ask, account_id, asked, mail)
        case Act.ACCEPT | Act.DECLINE if thing is not None:
            words = f"{ask.act.value} {thing.question.value} {thing.id}"
            return Wish(ask=ask, account_id=thing.account_id, words=words, door=_decision(ask, mail, sent, thing))
        case Act.REASON if sent is not None and ask.why is not None:
            return _reason(ask, mail, sent)
        case Act.REVISE if thing is not None and thing.question is Question.RENEWAL:
            terms = {name: value for name in ("seats", "months") if (value := getattr(ask, name)) is not None}
            words = " and ".join(f"{value} {name}" for name, value in terms.items())
            door = Door(update="revise_renewal", request={"contract_id": thing.id, **terms})
            return Wish(ask=ask, account_id=thing.account_id, words=f"have contract {thing.id} for {words}", door=door)
        case Act.RENEW if thing is not None and thing.question is Question.RENEWAL:
            door = Door(update="request_renewal", request={"contract_id": thing.id})
            return Wish(ask=ask, account_id=thing.account_id, words=f"have contract {thing.id} renewed", door=door)
        case _:
            return None


def chosen_wish(choice: PageChoice | None, mail: InboundMail, sent: SentMail) -> Wish | None:
    """The wish of whoever answered on the page of a mail, with what they wrote beside it; null if it does not fit the question.

    Whose page it is follows from the mail, so that it does not matter what else stood in the same message.
    """
    if choice is not None and choice.pick is Pick.MAILS:
        return _chosen_mails(choice, sent)
    if choice is not None and choice.step is not None:
        said = f"{choice.step.word.value} of {choice.step.task}, order {choice.step.order_id}"
        return Wish(ask=Ask(act=Act.SAY), account_id=sent.account_id, words=f"say {said}")
    if choice is not None and choice.pick is Pick.SAY:
        return Wish(ask=Ask(act=Act.SAY), account_id=sent.account_id, words="say something in reply")
    asked = asked_in(sent.having(several=False))
    if choice is None or asked is None:
        return None
    match choice.pick, asked.question:
        case ((Pick.YES | Pick.NO), Question.REFERENCE):
            ask = Ask(act=Act.ACCEPT if choice.pick is Pick.YES else Act.DECLINE, id=asked.id)
            return _reference(ask, sent.account_id, asked, mail)
        case Pick.SCORE, Question.SURVEY:
            ask = Ask(act=Act.SCORE, score=choice.score)
            door = _score(ask, mail, sent, asked)
            return Wish(ask=ask, account_id=sent.account_id, words=f"answer the survey with {choice.score}", door=door)
        case ((Pick.ACCEPT | Pick.DECLINE), (Question.QUOTE | Question.OFFER | Question.RENEWAL)):
            return _chosen_decision(choice, mail, sent, asked)
        case Pick.WHY, Question.FAREWELL if choice.why is not None:
            return _reason(Ask(act=Act.REASON, why=choice.why.value), mail, sent)
        case Pick.REVISE, Question.RENEWAL:
            ask = Ask(act=Act.REVISE, id=asked.id, months=choice.months)
            units = [{"asset_id": asset_id, "quantity": count} for asset_id, count in choice.units.items()]
            months = {} if choice.months is None else {"months": choice.months}
            request = {"contract_id": asked.id, **({"assets": units} if units else {}), **months}
            door = Door(update="revise_renewal", request=request)
            return Wish(ask=ask, account_id=sent.account_id, words=f"have contract {asked.id} otherwise", door=door)
        case _:
            return None


def _chosen_mails(choice: PageChoice, sent: SentMail) -> Wish | None:
    """It concerns the address that the mail went to, for as long as that is the contact's."""
    if sent.contact_id is None or not sent.current:
        return None
    declined = [topic.value for topic in choice.declined]
    request = {"contact_id": sent.contact_id, "declined": declined, "every_days": choice.every_days}
    door = Door(update="choose_mails", request=request)
    return Wish(ask=Ask(act=Act.CHOOSE), account_id=sent.account_id, words="choose their mails", door=door)


def _chosen_decision(choice: PageChoice, mail: InboundMail, sent: SentMail, asked: Answered) -> Wish:
    """A yes to what the page showed, by its version, or a no with its reason."""
    thing = Thing(question=asked.question, id=asked.id, account_id=str(sent.account_id))
    ask = Ask(act=Act(choice.pick.value), id=asked.id, why=choice.why and choice.why.value)
    door = _decision(ask, mail, None, thing)
    renewal = asked.question is Question.RENEWAL
    more: dict[str, Any] = {}
    if choice.version is not None and asked.question is not Question.OFFER:
        more["version"] = choice.version
    if choice.why is not None and renewal:
        more["why"] = choice.why.value
    request = {**door.request, **more}
    words = f"{ask.act.value} {thing.question.value} {thing.id}"
    return Wish(ask=ask, account_id=sent.account_id, words=words, door=Door(update=door.update, request=request))


def _reference(ask: Ask, account_id: str | None, asked: Answered, mail: InboundMail) -> Wish:
    decision = "yes" if ask.act is Act.ACCEPT else "no"
    request = {"reference_id": asked.id, "decision": decision, "comment": mail.own_words[:_COMMENT_LIMIT]}
    door = Door(update="answer_reference", request=request)
    return Wish(ask=ask, account_id=account_id, words=f"say {decision} to being a reference", door=door)


def _reason(ask: Ask, mail: InboundMail, sent: SentMail) -> Wish:
    contract_id = str(sent.context["contract_id"])
    said = " ".join(mail.own_words.split())[:_REASON_LIMIT]
    door = Door(update="note_churn_reason", request={"contract_id": contract_id, "reason": ask.why, "said": said})
    return Wish(ask=ask, account_id=sent.account_id, words=f"say why {contract_id} was not renewed", door=door)


def _score(ask: Ask, mail: InboundMail, sent: SentMail | None, asked: Answered | None) -> Door | None:
    if ask.score is None or sent is None or asked is None or asked.question is not Question.SURVEY:
        return None
    comment = mail.own_words[:_COMMENT_LIMIT] if not mail.own_words.strip().isdigit() else ""
    request = {"survey_id": asked.id, "score": ask.score, "comment": comment}
    if sent.template == _CASE_SURVEY:
        return Door(update="answer_csat", request=request, case_id=str(sent.context["case_id"]))
    return Door(update="answer_survey", request=request)


def _version(ask: Ask, sent: SentMail | None, thing: Thing) -> dict[str, int]:
    """The version of a renewal's quote to which a yes is the reply, if the mail that it answers had one."""
    context = sent.context if sent else {}
    quote = context.get("quote") or {}
    known = ask.act is Act.ACCEPT and context.get("contract_id") == thing.id and "version" in quote
    return {"version": quote["version"]} if known else {}


def _decision(ask: Ask, mail: InboundMail, sent: SentMail | None, thing: Thing) -> Door:
    decision = ask.act.value
    reason = {} if ask.act is Act.ACCEPT else {"reason": " ".join(mail.own_words.split())[:_REASON_LIMIT]}
    match thing.question:
        case Question.RENEWAL:
            version = _version(ask, sent, thing)
            return Door(
                update="answer_renewal", request={"contract_id": thing.id, "decision": decision, **reason, **version}
            )
        case Question.OFFER:
            return Door(update="answer_offer", request={"offer_id": thing.id, "decision": decision, **reason})
        case _:
            update = "accept_quote" if ask.act is Act.ACCEPT else "decline_quote"
            return Door(update=update, request={"quote_id": thing.id, **reason})
