"""The page on which a customer answers the question of a mail: its links lead here, and only the button on it answers. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from html import escape

from activities.mail.questions import MailQuestion
from domain.mail.answering import SentMail, asked_in
from domain.mail.asks import Question
from domain.success.throttling import answer_counts

COMMENT_LIMIT = 1000


class Standing(StrEnum):
    """Whether a question can be answered."""

    OPEN = "open"
    CHANGEABLE = "changeable"
    """it was answered within the time for second thoughts"""
    ANSWERED = "answered"
    """it was, and the answer stands"""
    OVER = "over"
    """its time has passed, or it is not asked any more"""


@dataclass(frozen=True)
class Choices:
    """What can be answered: scores, the lowest first, or yes and no."""

    options: tuple[str, ...]


def choices_of(question: MailQuestion) -> Choices | None:
    """What the question of a mail can be answered with; null for a mail that asks none."""
    asked = asked_in(SentMail(delivery_id="", template=question.template, context=dict(question.context)))
    if asked is not None and asked.question is Question.REFERENCE:
        return Choices(("yes", "no"))
    if asked is None or asked.question is not Question.SURVEY:
        return None
    return Choices(tuple(map(str, range(asked.low, asked.high + 1))))


def standing_of(question: MailQuestion) -> Standing:
    """Whether it can be answered at this time of the customer's."""
    if question.withdrawn or question.sent_at is None:
        return Standing.OVER
    if question.answer is not None:
        return Standing.ANSWERED
    if question.answered_at is not None:
        counts = answer_counts(question.sent_at, question.answered_at, question.now)
        return Standing.CHANGEABLE if counts else Standing.ANSWERED
    of_a_case = question.template == "case_survey"
    return Standing.OVER if of_a_case and not answer_counts(question.sent_at, None, question.now) else Standing.OPEN


_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "title": "Your answer",
        "open": "Please check your answer, and send it with the button.",
        "changeable": "You have answered with {score}. You can change that here within 24 hours of your first answer.",
        "answered": "You have answered with {score}, thank you. That cannot be changed here any more: just reply to our mail.",
        "over": "This question is not open any more. If you would like to tell us something, just reply to our mail.",
        "score": "Your answer",
        "comment": "Would you like to add something? (optional)",
        "send": "Send",
        "done": "Thank you for your answer: {choice}.",
        "kept": "Thank you. This question cannot be answered by itself any more: somebody will read what you wrote.",
        "wrong": "Please choose one of the answers.",
        "nps_low": "not at all likely",
        "nps_high": "extremely likely",
        "ces_low": "very difficult",
        "ces_high": "very easy",
        "csat_low": "not at all satisfied",
        "csat_high": "very satisfied",
        "yes": "yes, gladly",
        "no": "no, rather not",
    },
    "ja": {
        "title": "ご回答",
        "open": "ご回答をご確認のうえ、ボタンを押して送信してください。",
        "changeable": "{score}とご回答いただいております。最初のご回答から24時間以内は、こちらで変更いただけます。",
        "answered": "{score}とご回答いただきました。ありがとうございました。変更をご希望の場合は、メールにご返信ください。",
        "over": "このアンケートの受付は終了いたしました。ご意見がございましたら、メールにご返信ください。",
        "score": "ご回答",
        "comment": "よろしければ一言お書き添えください（任意）",
        "send": "送信する",
        "done": "ご回答（{choice}）を承りました。ありがとうございました。",
        "kept": "ありがとうございます。受付は終了しておりますが、お送りいただいた内容は担当者が拝読いたします。",
        "wrong": "回答を一つお選びください。",
        "nps_low": "まったく思わない",
        "nps_high": "強くそう思う",
        "ces_low": "とても難しかった",
        "ces_high": "とても容易だった",
        "csat_low": "まったく満足していない",
        "csat_high": "とても満足している",
        "yes": "はい",
        "no": "いいえ",
    },
}


def asking(question: MailQuestion, choices: Choices, chosen: str, *, wrong: bool = False) -> str:
    """The page that a link leads to: the answer that it stands for, and the button that gives it."""
    words, standing = _words(question), standing_of(question)
    said = f"<p>{escape(words[standing].format(score=_answer(question)))}</p>"
    if standing not in (Standing.OPEN, Standing.CHANGEABLE):
        return said
    if wrong:
        said += f"<p><strong>{escape(words['wrong'])}</strong></p>"
    ends = (choices.options[0], choices.options[-1])
    options = "".join(
        f'<option value="{option}"{" selected" if option == chosen else ""}>{escape(_named(question, option, ends))}</option>'
        for option in ("", *choices.options)
    )
    return (
        f'{said}<form method="post"><p><label>{escape(words["score"])} <select name="choice">{options}</select></label></p>'
        f"<p><label>{escape(words['comment'])}<br>"
        f'<textarea name="comment" rows="5" cols="40" maxlength="{COMMENT_LIMIT}"></textarea></label></p>'
        f"<button>{escape(words['send'])}</button></form>"
    )


def thanks(question: MailQuestion, choice: str) -> str:
    """What is said to an answer that was sent."""
    takes = standing_of(question) in (Standing.OPEN, Standing.CHANGEABLE)
    return f"<p>{escape(_words(question)['done' if takes else 'kept'].format(choice=_words(question).get(choice, choice)))}</p>"


def title(question: MailQuestion) -> str:
    """The name of the page."""
    return _words(question)["title"]


def language_of(question: MailQuestion) -> str:
    """The language of the page, which is that of the mail."""
    return "ja" if question.language.lower().startswith("ja") else "en"


def _words(question: MailQuestion) -> Mapping[str, str]:
    return _WORDS[language_of(question)]


def _answer(question: MailQuestion) -> str:
    return _words(question)[question.answer] if question.answer else str(question.score)


def _named(question: MailQuestion, option: str, ends: tuple[str, str]) -> str:
    """The option with what it stands for, if it is the lowest or the highest score."""
    words = _words(question)
    if option in ("yes", "no"):
        return words[option]
    kind = str(question.context.get("question_kind", "csat"))
    end = {ends[0]: "low", ends[1]: "high"}.get(option)
    return f"{option} – {words[f'{kind}_{end}']}" if end and f"{kind}_{end}" in words else option
