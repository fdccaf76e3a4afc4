"""Asks: what a mail asks for by answering ours: a score, no more mails, yes or no to a quote, an offer, a renewal.

What changes a contract is only said where it is unambiguous; anything else that bears on the question is `unclear`, and
a person reads it.
"""

from __future__ import annotations

import re
from enum import StrEnum

from domain.kernel.base import Carried
from domain.mail.churn_reasons import churn_reason
from domain.mail.clauses import Clause, body_of, normal, sentences
from domain.mail.consent import consent, speaks
from domain.mail.other_terms import other_terms
from domain.mail.quoting import passes_on
from domain.mail.reading import InboundMail, Kind
from domain.mail.survey_scores import score_in
from domain.mail.unsubscribing import mentions_it, unsubscribes
from domain.mail.wording import Wording

_said = Wording("asks")


class Act(StrEnum):
    """What a mail asks for."""

    SCORE = "score"
    UNSUBSCRIBE = "opt_out"
    ACCEPT = "accept"
    DECLINE = "decline"
    RENEW = "renew"
    """a renewal that nobody had asked about"""
    REVISE = "revise"
    """the renewal that is asked about for other units, or another length"""
    REASON = "reason"
    """why somebody does not go on"""
    CHOOSE = "choose_mails"
    """other optional mails than until now, from the page for that"""
    SAY = "say"
    """what somebody says on a page of a mail, of a step of the onboarding for one: a person reads it, as if it had been written"""
    UNCLEAR = "unclear"
    """it bears on the question; a person has to ask back"""


class Question(StrEnum):
    """What a mail of ours had asked."""

    SURVEY = "survey"
    QUOTE = "quote"
    OFFER = "offer"
    RENEWAL = "renewal"
    REFERENCE = "reference"
    """whether they would be a reference"""
    FAREWELL = "farewell"
    """why they do not go on"""
    MAIL = "mail"
    """nothing"""


_DECIDED = (Question.QUOTE, Question.OFFER, Question.RENEWAL, Question.REFERENCE)
"""What is answered by a yes or a no."""


class Answered(Carried):
    """The mail of ours that is answered: `id` is the quote, the offer or the contract, `low` and `high` the survey's scale."""

    question: Question
    id: str = ""
    also: tuple[str, ...] = ()
    """what else it is called: its short number, the id of a renewal's quote"""
    low: int = 0
    high: int = 10

    @classmethod
    def named(cls, said: str) -> Answered:
        """Reads "survey:0-10", "quote:Q-7", "offer:O-3", "renewal:K-1" or "mail", an id with its short number as mails write them:
        "renewal:ACME-2027-EMEA (K-1)". Raises ValueError with what is expected."""
        kind, _, rest = said.strip().partition(":")
        if kind not in set(Question):
            raise ValueError(f"{said!r} is none of survey:LOW-HIGH, quote:ID, offer:ID, renewal:ID, mail")
        question = Question(kind)
        if question is Question.SURVEY:
            scale = re.fullmatch(r"(\d{1,2})-(\d{1,2})", rest)
            if scale is None or int(scale[1]) >= int(scale[2]):
                raise ValueError(f"{said!r} names no scale; write survey:0-10 or survey:1-5")
            return cls(question=question, low=int(scale[1]), high=int(scale[2]))
        if question not in (Question.MAIL, Question.FAREWELL) and not rest:
            raise ValueError(f"{said!r} names no {question.value}; write {question.value}:ID")
        numbered = re.fullmatch(r"(\S+) \((\S+)\)", rest)
        return (
            cls(question=question, id=numbered[1], also=(numbered[2],)) if numbered else cls(question=question, id=rest)
        )


class Ask(Carried):
    """What is asked for. `score` with a score, `id` with what the act is about, `seats` and `months` with other terms of a renewal."""

    act: Act
    score: int | None = None
    id: str | None = None
    seats: int | None = None
    months: int | None = None
    why: str | None = None
    """with a reason: a word of the list"""


_LONG = 1500
"""Characters of a reply beyond which it wants to be read by a person, whatever seems to stand in it."""

# Ids as people type them: letters and a number, with or without a hyphen. Word and number count if the word names the thing.
_ID = re.compile(
    r"(?<![a-z0-9-])([a-z]{1,4}(?:-[a-z0-9]{1,20}){0,3}-\d{1,12}(?:-\d{1,6})?|(?:q|o|k)[ -]?\d{1,8})(?![a-z0-9-])"
)
_KINDS = {"k": "contract|renewal|契約", "q": "quot|proposal|renewal|見積", "o": "offer|proposal|オファー"}
"""What a bare number is of where something is called by the letter and that number."""


def _says(line: str) -> bool:
    return bool(_said.says.search(line)) or speaks(line)


def ask_of(mail: InboundMail, answered: Answered | None) -> Ask | None:
    """What a person's mail asks for, given the mail that it answers; null if it asks for nothing."""
    if mail.kind is not Kind.PERSON:
        return None
    lines = mail.own_words.split("\n")
    own = "\n".join(line for line in lines if not line.lstrip().startswith(">"))
    beneath = "\n".join([mail.quoted, *(line for line in lines if line.lstrip().startswith(">"))])
    body = body_of(own, mail.sender_name, _says)
    text, other = _with_ids_marked(_without_our_numbers(_corrected(body), normal(beneath)), answered)
    said = sentences(text)
    if mail.subject and not said and answered is None:
        said = sentences(normal(mail.subject))
    if answered is not None and own.strip() and not any(char.isalnum() or char in "★⭐" for char in own):
        return Ask(act=Act.UNCLEAR)  # a thumb up is not a signature
    found = _otherwise(_found(said, body, answered, other), body, answered, other)
    if found is not None and found.act is not Act.UNSUBSCRIBE and len(body) > _LONG:
        return Ask(act=Act.UNCLEAR)
    if passes_on(mail.subject) and found is not None and found.act is not Act.UNSUBSCRIBE:
        return Ask(act=Act.UNCLEAR)  # the word of somebody else
    return found


def _otherwise(found: Ask | None, body: str, answered: Answered | None, other: set[str]) -> Ask | None:
    """A reply to the question of a renewal that is no plain answer may name the terms for which it is wished, one to a farewell the
    reason."""
    if answered is not None and answered.question is Question.FAREWELL:
        why = churn_reason(body) if found is None or found.act is Act.UNCLEAR else None
        return found if why is None else Ask(act=Act.REASON, why=why)
    if answered is None or answered.question is not Question.RENEWAL or other:
        return found
    terms = other_terms(body) if found is None or found.act is Act.UNCLEAR else None
    return found if terms is None else Ask(act=Act.REVISE, id=answered.id, seats=terms.seats, months=terms.months)


def _found(said: list[list[Clause]], body: str, answered: Answered | None, other: set[str]) -> Ask | None:
    question = answered.question if answered else None
    pieces = [clause for sentence in said for clause in sentence]
    asked = question in _DECIDED
    out = unsubscribes(said, asked=asked)
    score, about_score = (None, False)
    if answered is not None and question is Question.SURVEY:
        score, about_score = score_in(body, pieces, answered.low, answered.high)
    act, unclear = _act(said, answered, other)
    if out:
        clear = act is None or act.act is Act.DECLINE
        return Ask(act=Act.UNSUBSCRIBE, score=score) if clear else Ask(act=Act.UNCLEAR)
    if score is not None:
        return Ask(act=Act.SCORE, score=score) if act is None else Ask(act=Act.UNCLEAR)
    if act is not None and not about_score:
        return act
    if unclear or about_score or act is not None or mentions_it(said):
        return Ask(act=Act.UNCLEAR)
    return None


def _act(said: list[list[Clause]], answered: Answered | None, other: set[str]) -> tuple[Ask | None, bool]:
    """A yes, a no or a wish to renew, and whether the reply bears on such a question without saying it clearly."""
    question = answered.question if answered else None
    asked = question in _DECIDED
    found = consent(said, renewal_asked=question is Question.RENEWAL)
    named = any("#" in clause.text for sentence in said for clause in sentence)
    about = answered.id if answered is not None and asked else None
    if not asked:
        about = next(iter(other)) if len(other) == 1 else None
        if found.renews and found.is_clear and not other:
            return Ask(act=Act.RENEW), False
        if about is None:
            return None, bool(other) and (found.accepts or found.declines or found.bears)
        if not named:
            return None, found.bears or found.accepts
    elif other:
        return None, True
    if not found.is_clear:
        return None, found.bears or named or (asked and found.doubts)
    if found.renews:
        return (None, True) if asked else (Ask(act=Act.RENEW, id=about), False)
    return Ask(act=Act.ACCEPT if found.accepts else Act.DECLINE, id=about), False


def _with_ids_marked(text: str, answered: Answered | None) -> tuple[str, set[str]]:
    """`text` with "#" for the id answered (or, if nothing was asked, for any), and the other ids that it names."""
    names = [one for one in (answered.id, *answered.also) if one] if answered is not None else []
    plain_names = [_plain(one) for one in names]
    others: dict[str, str] = {}

    def marked(found: re.Match[str]) -> str:
        name = next(group for group in found.groups() if group)
        if _said.not_ours.search(text[max(0, found.start() - 20) : found.start()]):
            return found[0]
        if (
            not names
            and not _said.ours.match(name)
            and not _said.about_a_deal.search(text[max(0, found.start() - 60) : found.end() + 30])
        ):
            return found[0]
        plain = _plain(name)
        if _is_quarter(found, text):
            if names:
                others.setdefault(plain, name.upper())
            return found[0]
        if plain in plain_names or (plain.isdigit() and _is_numbered(plain, found[0], plain_names)):
            return "#"
        if names and not _said.ours.match(name) and not name.startswith(names[0].lower().rstrip("0123456789")):
            return found[0]  # a number of theirs
        others.setdefault(plain, name.upper().replace(" ", "-"))
        return "#" if not names else found[0]

    def unless_quarter(found: re.Match[str]) -> str:
        return found[0] if _is_quarter(found, text) else "#"

    for name in sorted(names, key=len, reverse=True):
        spelled = r"[ -]*".join(map(re.escape, re.split(r"[ -]+", normal(name))))
        text = re.sub(rf"(?<![a-z0-9-]){spelled}(?![a-z0-9-])", unless_quarter, text)
    text = _ID.sub(marked, text)
    text = _said.numbered.sub(marked, text)
    return text, set(others.values())


def _is_numbered(digits: str, said: str, plain_names: list[str]) -> bool:
    """True if "quote 7" says one of these names. The first one is that of the thing, the others say of what kind they are."""
    bare = [one.lstrip("abcdefghijklmnopqrstuvwxyz") for one in plain_names]
    return any(
        number == digits and (n == 0 or re.search(_KINDS.get(plain_names[n][0], "(?!)"), said))
        for n, number in enumerate(bare)
    )


def _is_quarter(found: re.Match[str], text: str) -> bool:
    """True for a quarter of a year where an id could stand: "start in Q2"."""
    if re.fullmatch(r"q[1-4]", found[0]) is None:
        return False
    before, after = text[max(0, found.start() - 20) : found.start()], text[found.end() : found.end() + 12]
    return bool(_said.before_quarter.search(before) or _said.after_quarter.match(after))


_COUNTED = {
    word: str(number) for number, word in enumerate(["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen"], 10)
}
_COUNTED |= {
    word: str(number)
    for number, word in enumerate(["two", "three", "four", "five", "six", "seven", "eight", "nine"], 2)
}


def _without_our_numbers(text: str, quoted: str) -> str:
    """`text` without the quantities that the mail answered had named itself: they are no other ones."""
    ours = set(re.findall(r"(?<![\w-])\d{1,6}(?![\w-])", quoted, re.ASCII)) | {
        number for word, number in _COUNTED.items() if re.search(rf"\b{word}\b", quoted)
    }
    if not ours:
        return text
    words = "|".join(_COUNTED)

    def own(found: re.Match[str]) -> str:
        return "the" if _COUNTED.get(found[0], found[0]) in ours else found[0]

    return re.sub(rf"(?<![a-z0-9#-])(?:\d{{1,6}}|{words})(?![a-z0-9-])", own, text)


def _plain(name: str) -> str:
    return re.sub(r"[^0-9a-z]", "", name.lower())


def _corrected(text: str) -> str:
    """`text` with words that are one slip away from those that decide, put right."""

    def right(found: re.Match[str]) -> str:
        word = found[0]
        if word in _said.file.lists["meant"] or word in _said.file.lists["others"]:
            return word
        return next((meant for meant in _said.file.lists["meant"] if _is_a_slip(word, meant)), word)

    return re.sub(r"\b[a-z]{5,13}\b", right, text)


def _is_a_slip(word: str, meant: str) -> bool:
    """True if one letter was left out, doubled, mistyped or swapped with its neighbour; the first one stands."""
    if word[0] != meant[0] or abs(len(word) - len(meant)) > 1:
        return False
    same = next((n for n, (a, b) in enumerate(zip(word, meant, strict=False)) if a != b), min(len(word), len(meant)))
    rest, other = word[same:], meant[same:]
    swapped = len(word) == len(meant) and rest[:2] == other[1::-1] and rest[2:] == other[2:]
    return rest[1:] == other[1:] or rest[1:] == other or rest == other[1:] or swapped
