"""Consent: whether a reply clearly accepts or declines what it answers, or asks for a renewal, as a careful clerk would read it.

A yes counts only if nothing beside it could be a condition, another number, a doubt, a question or irony; a no may come
with its reasons. Whatever else bears on the question is for a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from domain.mail.clauses import Clause
from domain.mail.spelled import spelled_out
from domain.mail.wording import Wording

yes, no, doubts = Wording("yes"), Wording("no"), Wording("doubts")

_ECHO = 5
"""words of a question that only repeats what was asked: "More seats? Yes please"."""
_SHORT = 24
"""characters of a sentence that belongs to the one beside it, whatever it speaks of"""
_LEFT = 48
"""characters before a yes in which a negation is looked for"""


@dataclass(frozen=True)
class Consent:
    """What the sentences of a reply come to. `bears` is true if it is about the question without answering it clearly."""

    accepts: bool = False
    declines: bool = False
    renews: bool = False
    bears: bool = False
    doubts: bool = False
    """a condition, a change, a delay or a question that decides, whatever else it says"""

    @property
    def is_clear(self) -> bool:
        """True if it says exactly one thing."""
        return self.accepts + self.declines + self.renews == 1 and not self.bears


_Note = Literal["accepts", "declines", "renews", "doubts", "asks", "hedges", "turned", "bears", "waits"]
"""What a sentence says or does: it takes a yes back (doubts), asks about it, may turn a no into a yes (hedges), says a no turned
round, bears on the question, or speaks of a condition, a change or a later day, whether or not that bears on it (waits)."""


def consent(sentences: list[list[Clause]], *, renewal_asked: bool) -> Consent:
    """Accepts, declines or asks for a renewal; the id of what was asked stands as "#" in the clauses of each sentence.

    Args:
        renewal_asked: the reply answers a question whether to renew; then "please renew" is a yes.
    """
    notes: set[_Note] = set()
    about_contract = renewal_asked or any(yes.contract.search(one.text) for sentence in sentences for one in sentence)
    for sentence in sentences:
        said = [Clause(spelled_out(one.text), one.asks) for one in sentence]
        whole = ", ".join(clause.text for clause in said)
        if _asks(said, whole):
            notes |= set(_of_question(whole, about_contract=about_contract, declined="declines" in notes))
        else:
            notes |= set(_of_statement(said, whole, about_contract=about_contract, renewal_asked=renewal_asked))
    declines, renews = "declines" in notes, "renews" in notes
    accepts = renewal_asked if renews else "accepts" in notes  # "yes, please renew our Workspace" is one wish
    renews = renews and not renewal_asked
    acts = accepts or renews
    spoilt = ("doubts" in notes and acts) or ("asks" in notes and accepts)
    bears = ("turned" in notes and not acts) or (declines and (acts or "hedges" in notes)) or spoilt
    unanswered = "bears" in notes and not (acts or declines)
    return Consent(accepts, declines, renews, bears or unanswered, "waits" in notes)


def _of_statement(sentence: list[Clause], whole: str, *, about_contract: bool, renewal_asked: bool) -> Iterator[_Note]:
    text = doubts.harmless.sub(" ", doubts.past.sub(" ", _plain(whole))).strip(" ,、")
    about = bool(doubts.bears.search(whole))
    turned = bool(no.turned.search(whole))
    if about:
        yield "bears"
    if turned and not doubts.beside.search(whole):
        yield "turned"
    if any(one.search(text) for one in (doubts.conditions, doubts.changes, doubts.puts_off, doubts.irony)):
        yield "waits"
    if not turned and _is_no(sentence, whole):
        yield "declines"
        if _also_yes(sentence):
            yield "accepts"
        if no.hedges.search(_without_reasons(_from_no(text))) or doubts.some.search(text):
            yield "hedges"
        return
    said = _yes_in(sentence, whole, about_contract=about_contract)
    yield from said
    if about and (no.hedges.search(text) or doubts.takes_some.search(text)):
        yield "hedges"
    if _is_doubtful(text, answers=bool(said), about=about, numbers=renewal_asked or said != ["renews"]):
        yield "doubts"


def _asks(sentence: list[Clause], whole: str) -> bool:
    """True for a question; a wish in the form of one is none."""
    asks = any(clause.asks for clause in sentence) or doubts.questions.match(whole) or doubts.asks_ja.search(whole)
    return bool(asks) and not doubts.polite_ja.search(whole)


def _of_question(whole: str, *, about_contract: bool, declined: bool) -> Iterator[_Note]:
    """A wish in the form of a question, or something that has to be answered first."""
    wish = doubts.polite.sub("please ", whole)
    if wish != whole and not doubts.questions.match(wish):
        if _is_no([Clause(wish)], wish):
            yield "declines"
            return
        said = _yes_in([Clause(wish)], wish, about_contract=about_contract)
        if said and not _is_doubtful(doubts.harmless.sub(" ", wish), answers=True, about=True):
            yield from said
            return
    about = bool(doubts.bears.search(whole))
    echo = len(whole.split()) <= _ECHO and not doubts.questions.match(whole) and whole.isascii()
    if echo or doubts.tag_ja.search(whole) or (doubts.beside.search(whole) and not about):
        return
    if about:
        yield "asks"
    counters = doubts.conditions.search(whole) or doubts.changes.search(whole) or (about and doubts.later.search(whole))
    if counters:
        yield from ("doubts", "waits")
    # What is asked after a no is how to part, what is asked before it may decide it.
    decides = not declined and (doubts.questions.match(whole) or doubts.asks_ja.search(whole))
    if counters or doubts.offers.search(whole):
        yield "hedges"
        if about:
            yield "bears"
    elif decides:
        yield "hedges"


def _is_no(sentence: list[Clause], whole: str) -> bool:
    parts = (_plain(whole), *(_plain(one.text).strip() for one in sentence))
    if any(map(no.said.search, parts)):
        return True
    rest = " ".join(clause.text for clause in sentence[1:])
    says_more = doubts.bears.search(rest) or doubts.number.search(rest)
    return bool(no.no.fullmatch(sentence[0].text)) and not says_more


def _also_yes(sentence: list[Clause]) -> bool:
    """True if a clause of a no says yes to something; a concession that a "but" ends says none."""
    first, *rest = (clause.text for clause in sentence)
    after = [*rest[1:], ""]
    pieces = [piece for piece, then in zip(rest, after, strict=False) if not then.startswith("but ")]
    plain = [piece for piece in pieces if not no.said.search(piece)]
    return bool(
        yes.yes.fullmatch(first)
        or yes.to_it.search(first)
        or any("accepts" in _yes_in([Clause(piece)], piece, about_contract=False) for piece in plain)
    )


def _yes_in(sentence: list[Clause], whole: str, *, about_contract: bool) -> list[_Note]:
    """Whether a sentence accepts, and whether it wishes a renewal."""
    said: list[_Note] = []
    if any(yes.yes.fullmatch(clause.text) for clause in sentence) or _is_said(whole, yes.said):
        said.append("accepts")
    sold = not yes.not_a_contract_ja.search(whole)
    if sold and (_is_said(whole, yes.renews) or (about_contract and _is_said(whole, yes.stays))):
        said.append("renews")
    return said


def _is_said(whole: str, pattern: re.Pattern[str]) -> bool:
    """True where `pattern` says something that is neither negated before nor taken back by a "but" after it."""
    for found in pattern.finditer(whole):
        start = found.start() + len(found[0]) - len(found[0].lstrip(", "))
        before = whole[max(0, start - _LEFT) : start].rpartition(", ")[2]
        negated = no.negates.search(_plain(before + found[0].lstrip(", ")))
        if not negated and not doubts.but.search(doubts.harmless.sub(" ", _plain(whole[found.start() :]))):
            return True
    return False


def _plain(text: str) -> str:
    """`text` without the negations that take nothing back."""
    return no.harmless_negation.sub(" ", text)


def _is_doubtful(text: str, *, answers: bool, about: bool, numbers: bool = True) -> bool:
    """True if a sentence could take back a yes that stands in it, or beside it.

    Args:
        answers: the sentence is the yes.
        about: it bears on the question.
        numbers: another number than what was asked matters; in a wish for a quote it does not.
    """
    near = answers or about or doubts.begins.match(text) or len(text) <= _SHORT or doubts.yours.search(text)
    if doubts.holds.search(text):
        return True
    if near and (doubts.conditions.search(text) or doubts.irony.search(text)):
        return True
    beside = bool(doubts.beside.search(text))
    told = _from_yes(text) if answers else text
    numbered = numbers and bool(doubts.number.search(doubts.plain_numbers.sub(" ", told)))
    if answers:
        return bool(doubts.changes.search(text) or doubts.later.search(text) or (numbered and not beside))
    if beside and not about:
        return False
    changes = bool(near and doubts.changes.search(text))
    later = bool(doubts.later.search(text))
    return changes or (later and about) or (about and not beside and (numbered or bool(no.negates.search(text))))


def _from_yes(text: str) -> str:
    """A sentence from the clause of its yes on: what was said before is no number of the deal."""
    starts = [hit.start() for one in (yes.said, yes.stays, yes.renews) if (hit := one.search(text))]
    return text[max(0, text.rfind(", ", 0, min(starts))) :] if starts else text


def _from_no(text: str) -> str:
    """A sentence from its no on: what was appreciated or weighed before it is over."""
    found = no.said.search(text)
    return text[found.start() :] if found else text


def _without_reasons(text: str) -> str:
    """A no without the reasons after it: what is told there of later and of others changes nothing. A condition stays."""
    return text if no.conditions.search(text) else no.reasons.sub("", text)


def speaks(line: str) -> bool:
    """True if a line in its plain spelling has to do with such a question, so that it is not somebody's name."""
    said = spelled_out(line)
    known = (doubts.bears, yes.said, yes.stays, no.said)
    return any(one.search(said) for one in known) or bool(yes.yes.fullmatch(said.strip(" .,!")))
