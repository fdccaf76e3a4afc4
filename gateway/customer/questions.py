"""What a mail asks, as its page shows it: whether it can be answered, with what, and what was answered. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from activities.mail.questions import Decidable, MailQuestion, RenewableAsset
from domain.frame.customer import ContractStatus
from domain.frame.renewal_facts import ChurnReason
from domain.frame.success_facts import OfferStatus
from domain.kernel.calendar import local_day
from domain.mail.answering import SentMail, asked_in
from domain.mail.asks import Answered, Question
from domain.mail.choices import PageChoice, Pick
from domain.mail.worded import ASKED_FOR, IN_WORDS, Saying
from domain.quotes.versions import QuoteState
from domain.success.throttling import answer_counts

COMMENT_LIMIT = 1000
DECIDED = (Question.RENEWAL, Question.QUOTE, Question.OFFER)
"""What is answered by a yes or a no that binds."""
_SCORED = (Question.SURVEY, Question.REFERENCE, Question.FAREWELL)


class Standing(StrEnum):
    """Whether a question can be answered."""

    OPEN = "open"
    CHANGEABLE = "changeable"
    """it was answered within the time for second thoughts"""
    ANSWERED = "answered"
    """it was, and the answer stands"""
    ACCEPTED = "accepted"
    DECLINED = "declined"
    OVER = "over"
    """its time has passed, or it is not asked any more"""


@dataclass(frozen=True)
class Page:
    """A question as its page shows it. `context`: what the mail said of it, or a later one that replaces it."""

    asked: Answered
    question: MailQuestion
    standing: Standing
    context: dict[str, Any]
    until: str | None = None
    """the last day of the term, or of what is offered"""
    may_decline: bool = False
    assets: tuple[RenewableAsset, ...] = ()
    """what can be renewed in other units"""

    @property
    def options(self) -> tuple[str, ...]:
        """What a score or a plain answer can be, the lowest first; empty for what is decided."""
        if self.asked.question is Question.REFERENCE:
            return ("yes", "no")
        if self.asked.question is Question.SURVEY:
            return tuple(map(str, range(self.asked.low, self.asked.high + 1)))
        if self.asked.question is Question.FAREWELL:
            return tuple(PageChoice(pick=Pick.WHY, why=reason).written for reason in ChurnReason)
        return ()

    @property
    def sayings(self) -> tuple[Saying, ...]:
        """What can be picked before words of their own; empty where no words are asked for."""
        return IN_WORDS[self.question.template] if self.asked.question is Question.MAIL else ()

    @property
    def takes(self) -> bool:
        """True while an answer can be given by a button."""
        return self.standing in (Standing.OPEN, Standing.CHANGEABLE) or self.may_accept

    @property
    def may_accept(self) -> bool:
        """True for what a yes still brings about: a renewal that was declined can be taken back."""
        if self.asked.question not in DECIDED:
            return False
        back = self.standing is Standing.DECLINED and self.asked.question is Question.RENEWAL
        return back or self.standing is Standing.OPEN

    @property
    def may_revise(self) -> bool:
        """True while other quantities, or another term, can be wished."""
        return self.standing is Standing.OPEN and self.asked.question in (Question.RENEWAL, Question.QUOTE)

    @property
    def revisable(self) -> list[tuple[int, dict[str, Any]]]:
        """The lines of a quote that can be wished in other quantities, by their numbers from 1."""
        lines = self.context.get("lines", ()) if self.asked.question is Question.QUOTE else ()
        return [(number, line) for number, line in enumerate(lines, 1) if line["quantity"] > 0]

    @property
    def version(self) -> int | None:
        """The version of what is shown, which a yes is to."""
        if self.asked.question is Question.OFFER:
            return None
        of = self.context.get("quote") or {} if self.asked.question is Question.RENEWAL else self.context
        return int(of["version"]) if "version" in of else None

    @property
    def reasons(self) -> tuple[ChurnReason, ...]:
        """What a no to a renewal can name as its reason."""
        return tuple(ChurnReason) if self.asked.question is Question.RENEWAL else ()

    def allows(self, choice: PageChoice | None) -> bool:
        """True for an answer that this page offers."""
        match choice.pick if choice else None:
            case Pick.SCORE | Pick.YES | Pick.NO:
                return choice is not None and choice.written in self.options
            case Pick.ACCEPT:
                return self.may_accept
            case Pick.DECLINE:
                return self.may_decline
            case Pick.REVISE:
                return self.may_revise and self.asked.question is Question.RENEWAL
            case _:
                return False


def asked_by(question: MailQuestion) -> Answered | None:
    """What a mail asks that a page can answer; null for a mail that asks nothing of the kind."""
    if question.template in IN_WORDS:
        return Answered(question=Question.MAIL)
    asked = asked_in(SentMail(delivery_id="", template=question.template, context=dict(question.context)))
    return asked if asked is not None and asked.question in (*_SCORED, *DECIDED) else None


def page_of(question: MailQuestion, asked: Answered, decidable: Decidable | None) -> Page:
    """The page of a question. decidable: where a renewal, a quote or an offer stands; null if it is not on record."""
    if asked.question in (Question.MAIL, Question.FAREWELL):
        standing = Standing.OPEN if question.now <= question.at + ASKED_FOR else Standing.OVER
        return Page(asked, question, standing, dict(question.context))
    if asked.question not in DECIDED:
        return Page(asked, question, _standing_of(question), dict(question.context))
    context = {**question.context, **((decidable.context or {}) if decidable else {})}
    if decidable is None:
        return Page(asked, question, Standing.OVER, context)
    today = local_day(question.now, question.time_zone)
    until = decidable.until.isoformat()
    if asked.question is Question.RENEWAL:
        standing = _of_renewal(decidable, str(context["term_end"]))
        open_still = standing is Standing.OPEN
        in_time = not context.get("auto_renew") or today.isoformat() <= str(context["notice_by"])
        return Page(
            asked, question, standing, context, until, may_decline=open_still and in_time, assets=decidable.assets
        )
    standing = _of_offer(decidable)
    if standing is Standing.OPEN and today > decidable.until:
        standing = Standing.OVER
    return Page(asked, question, standing, context, until, may_decline=standing is Standing.OPEN)


def _of_renewal(found: Decidable, term_end: str) -> Standing:
    if found.until.isoformat() > term_end:
        return Standing.ACCEPTED
    match found.state:
        case ContractStatus.DECLINED:
            return Standing.DECLINED
        case ContractStatus.ENDED:
            return Standing.OVER
        case _:
            return Standing.OPEN


def _of_offer(found: Decidable) -> Standing:
    match found.state:
        case QuoteState.PRESENTED | OfferStatus.OPEN:
            return Standing.OPEN
        case QuoteState.ACCEPTED:
            return Standing.ACCEPTED
        case QuoteState.DECLINED:
            return Standing.DECLINED
        case _:
            return Standing.OVER


def _standing_of(question: MailQuestion) -> Standing:
    """Whether a survey or a plain question can be answered at this time of the customer's."""
    if question.withdrawn or question.sent_at is None:
        return Standing.OVER
    if question.answer is not None:
        return Standing.ANSWERED
    if question.answered_at is not None:
        counts = answer_counts(question.sent_at, question.answered_at, question.now)
        return Standing.CHANGEABLE if counts else Standing.ANSWERED
    of_a_case = question.template == "case_survey"
    return Standing.OVER if of_a_case and not answer_counts(question.sent_at, None, question.now) else Standing.OPEN
