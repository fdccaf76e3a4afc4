"""Consent: whether a reply clearly accepts or declines what it answers, or asks for a renewal, as a careful clerk would read it.

A yes counts only if nothing beside it could be a condition, another number, a doubt, a question or irony; a no may come
with its reasons. Whatever else bears on the question is for a person.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

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


@dataclass
class _Found:
    renewal_asked: bool = False
    accepts: bool = False
    declines: bool = False
    renews: bool = False
    doubts: bool = False
    """what takes a yes back: a condition, a change, a delay, irony"""
    asks: bool = False
    """a question about it"""
    hedges: bool = False
    """what may turn a no into a yes"""
    turned: bool = False
    bears: bool = False
    waits: bool = False
    """it speaks of a condition, a change or a later day, whether or not that bears on the question"""


def consent(sentences: list[list[Clause]], *, renewal_asked: bool) -> Consent:
    """Accepts, declines or asks for a renewal; the id of what was asked stands as "#" in the clauses of each sentence.

    Args:
        renewal_asked: the reply answers a question whether to renew; then "please renew" is a yes.
    """
    found = _Found(renewal_asked=renewal_asked)
    about_contract = renewal_asked or any(yes.contract.search(one.text) for sentence in sentences for one in sentence)
    for sentence in sentences:
        _look([Clause(spelled_out(one.text), one.asks) for one in sentence], found, about_contract=about_contract)
    accepts, renews = found.accepts, found.renews
    if renewal_asked and renews:
        accepts, renews = True, False
    elif renews and accepts:
        accepts = False  # "yes, please renew our Workspace" is one wish
    acts = accepts or found.declines or renews
    contradicts = found.declines and (accepts or renews)
    spoilt = (found.doubts and (accepts or renews)) or (found.asks and accepts)
    bears = (found.turned and not (accepts or renews)) or contradicts or spoilt or (found.declines and found.hedges)
    return Consent(accepts, found.declines, renews, bears or (found.bears and not acts), found.waits)


def _look(sentence: list[Clause], found: _Found, *, about_contract: bool) -> None:
    """Notes what one sentence says."""
    whole = ", ".join(clause.text for clause in sentence)
    text = doubts.harmless.sub(" ", doubts.past.sub(" ", _plain(whole))).strip(" ,、")
    about = bool(doubts.bears.search(whole))
    if _asks(sentence, whole):
        _look_at_question(whole, found, about=about, about_contract=about_contract)
        return
    turned = bool(no.turned.search(whole))
    declines = not turned and _is_no(sentence, whole)
    accepts, renews = _says_yes(sentence, whole, about_contract=about_contract)
    found.turned = found.turned or (turned and not doubts.beside.search(whole))
    found.bears = found.bears or about
    found.waits = found.waits or any(
        one.search(text) for one in (doubts.conditions, doubts.changes, doubts.puts_off, doubts.irony)
    )
    if declines:
        found.declines = True
        found.accepts = found.accepts or _also_yes(sentence)
        found.hedges = found.hedges or bool(
            no.hedges.search(_without_reasons(_from_no(text))) or doubts.some.search(text)
        )
        return
    found.accepts = found.accepts or accepts
    found.renews = found.renews or renews
    found.hedges = found.hedges or (about and bool(no.hedges.search(text) or doubts.takes_some.search(text)))
    wish = renews and not accepts and not found.renewal_asked
    found.doubts = found.doubts or _is_doubtful(text, answers=accepts or renews, about=about, numbers=not wish)


def _asks(sentence: list[Clause], whole: str) -> bool:
    """True for a question; a wish in the form of one is none."""
    asks = any(clause.asks for clause in sentence) or doubts.questions.match(whole) or doubts.asks_ja.search(whole)
    return bool(asks) and not doubts.polite_ja.search(whole)


def _look_at_question(whole: str, found: _Found, *, about: bool, about_contract: bool) -> None:
    """A question: a wish in its form, or something that has to be answered first."""
    wish = doubts.polite.sub("please ", whole)
    if wish != whole and not doubts.questions.match(wish):
        if _is_no([Clause(wish)], wish):
            found.declines = True
            return
        accepts, renews = _says_yes([Clause(wish)], wish, about_contract=about_contract)
        if (accepts or renews) and not _is_doubtful(doubts.harmless.sub(" ", wish), answers=True, about=True):
            found.accepts, found.renews = found.accepts or accepts, found.renews or renews
            return
    echo = len(whole.split()) <= _ECHO and not doubts.questions.match(whole) and whole.isascii()
    if echo or doubts.tag_ja.search(whole):
        return
    if doubts.beside.search(whole) and not about:
        return
    counters = bool(doubts.conditions.search(whole) or doubts.changes.search(whole))
    counters = counters or (about and bool(doubts.later.search(whole)))
    found.doubts = found.doubts or counters
    found.asks = found.asks or about
    found.waits = found.waits or counters
    # What is asked after a no is how to part, what is asked before it may decide it.
    decides = not found.declines and bool(doubts.questions.match(whole) or doubts.asks_ja.search(whole))
    counters = counters or bool(doubts.offers.search(whole))
    found.hedges = found.hedges or counters or decides
    found.bears = found.bears or (about and counters)


def _is_no(sentence: list[Clause], whole: str) -> bool:
    parts = (_plain(whole), *(_plain(one.text).strip() for one in sentence))
    if any(no.english.search(part) or no.japanese.search(part) for part in parts):
        return True
    rest = " ".join(clause.text for clause in sentence[1:])
    says_more = doubts.bears.search(rest) or doubts.number.search(rest)
    return bool(no.no.fullmatch(sentence[0].text)) and not says_more


def _also_yes(sentence: list[Clause]) -> bool:
    """True if a clause of a no says yes to something; a concession that a "but" ends says none."""
    first, *rest = (clause.text for clause in sentence)
    after = [*rest[1:], ""]
    pieces = [piece for piece, then in zip(rest, after, strict=False) if not then.startswith("but ")]
    plain = [piece for piece in pieces if not no.english.search(piece) and not no.japanese.search(piece)]
    return bool(
        yes.yes.fullmatch(first)
        or re.search(r"\byes to\b|\bsay yes\b", first)
        or any(_says_yes([Clause(piece)], piece, about_contract=False)[0] for piece in plain)
    )


def _says_yes(sentence: list[Clause], whole: str, *, about_contract: bool) -> tuple[bool, bool]:
    """Whether a sentence accepts, and whether it wishes a renewal."""
    plain = any(yes.yes.fullmatch(clause.text) for clause in sentence)
    accepts = plain or _is_said(whole, yes.english, yes.japanese)
    sold = not yes.not_a_contract_ja.search(whole)
    renews = sold and (_is_said(whole, yes.renews) or (about_contract and _is_said(whole, yes.stays)))
    return accepts, renews


def _is_said(whole: str, *patterns: re.Pattern[str]) -> bool:
    """True where one of `patterns` says something that is neither negated before nor taken back by a "but" after it."""
    for pattern in patterns:
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
    starts = [hit.start() for one in (yes.english, yes.japanese, yes.stays, yes.renews) if (hit := one.search(text))]
    return text[max(0, text.rfind(", ", 0, min(starts))) :] if starts else text


def _from_no(text: str) -> str:
    """A sentence from its no on: what was appreciated or weighed before it is over."""
    starts = [hit.start() for one in (no.english, no.japanese) if (hit := one.search(text))]
    return text[min(starts) :] if starts else text


_REASONS = re.compile(r"\b(?:because|since|as|so|after|but)\b.*$")


def _without_reasons(text: str) -> str:
    """A no without the reasons after it: what is told there of later and of others changes nothing. A condition stays."""
    return text if re.search(r"\b(?:if|unless|until)\b", text) else _REASONS.sub("", text)


def speaks(line: str) -> bool:
    """True if a line in its plain spelling has to do with such a question, so that it is not somebody's name."""
    said = spelled_out(line)
    known = (doubts.bears, yes.english, yes.japanese, yes.stays, no.english, no.japanese)
    return any(one.search(said) for one in known) or bool(yes.yes.fullmatch(said.strip(" .,!")))
