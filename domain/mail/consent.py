"""Consent: whether a reply clearly accepts or declines what it answers, or asks for a renewal, as a careful clerk would read it.

A yes counts only if nothing beside it could be a condition, another number, a doubt, a question or irony; a no may come
with its reasons. Whatever else bears on the question is for a person.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from domain.mail import consent_words as words
from domain.mail.clauses import Clause

_POLITE_WISH = re.compile(r"\b(?:can|could|would|will) you\b")


@dataclass(frozen=True)
class Consent:
    """What the sentences of a reply come to. `bears` is true if it is about the question without answering it clearly."""

    accepts: bool = False
    declines: bool = False
    renews: bool = False
    bears: bool = False

    @property
    def is_clear(self) -> bool:
        """True if it says exactly one thing."""
        return self.accepts + self.declines + self.renews == 1 and not self.bears


@dataclass
class _Found:
    accepts: bool = False
    declines: bool = False
    renews: bool = False
    doubts: bool = False
    """a condition, a number, irony, a question about it"""
    turned: bool = False
    bears: bool = False
    hedges: bool = False
    """what may turn a no into a yes"""
    stray: bool = False
    """a sentence that nothing here knows and that may take a yes back"""


def consent(sentences: list[list[Clause]], *, renewal_asked: bool) -> Consent:
    """Accepts, declines or asks for a renewal; the id of what was asked stands as "#" in the clauses of each sentence.

    Args:
        renewal_asked: the reply answers a question whether to renew; then "please renew" is a yes.
    """
    found = _Found()
    for sentence in sentences:
        _look(sentence, found, renewal_asked=renewal_asked)
    accepts, renews = found.accepts, found.renews
    if renewal_asked and renews:
        accepts, renews = True, False
    elif renews and accepts:
        accepts = False  # "yes, please renew our Workspace" is one wish
    acts = accepts or found.declines or renews
    contradicts = found.declines and (accepts or renews)
    doubts = found.doubts and (accepts or renews or (found.bears and not found.declines))
    bears = found.turned or doubts or contradicts or (accepts and found.stray) or (found.declines and found.hedges)
    return Consent(accepts, found.declines, renews, bears or (found.bears and not acts))


def _look(sentence: list[Clause], found: _Found, *, renewal_asked: bool) -> None:
    """Notes what one sentence says."""
    text = words.PAST_REASONS.sub("", ", ".join(clause.text for clause in sentence)).strip(" ,")
    beside = bool(words.BESIDE.search(text))
    turned = bool(words.TURNED.search(text)) and not beside
    found.turned = found.turned or turned
    if any(clause.asks for clause in sentence) or words.QUESTIONS.match(text):
        wish = _POLITE_WISH.sub("you", text)
        renews = not renewal_asked and bool(words.RENEWS.search(wish)) and not _is_doubtful(wish)
        found.renews = found.renews or renews
        about = bool(words.BEARS.search(text) or words.IRONY.search(text)) and not renews
        found.doubts = found.doubts or about
        found.hedges = found.hedges or about
        counters = words.CONDITIONS.search(text) or words.NUMBER.search(text)
        found.bears = found.bears or (about and bool(counters))
    elif not turned and _is_no(sentence, text):
        found.declines = True
        found.accepts = found.accepts or bool(words.YES.fullmatch(sentence[0].text)) or "yes to" in text
        found.hedges = found.hedges or bool(words.HEDGES.search(_without_reasons(text)))
    elif _is_yes(sentence, text) or (words.ACCEPTS.search(text) and not words.NEGATES.search(text)):
        found.accepts = True
        found.renews = found.renews or bool(words.RENEWS.search(text))
        found.doubts = found.doubts or _is_doubtful(text)
    elif words.RENEWS.search(text) and not words.NEGATES.search(text):
        found.renews = True
        found.doubts = found.doubts or _is_doubtful(text)
    else:
        _look_beside(sentence, text, found, beside=beside)


def _look_beside(sentence: list[Clause], text: str, found: _Found, *, beside: bool) -> None:
    """A sentence that answers nothing: it may bear on the question, or be a condition."""
    about = bool(words.BEARS.search(text)) or bool(words.YES.fullmatch(sentence[0].text))
    found.bears = found.bears or about
    conditional = bool(words.CONDITIONS.search(text))
    found.hedges = found.hedges or bool(words.HEDGES.search(text))
    if conditional or not beside:
        found.doubts = found.doubts or conditional or bool(words.IRONY.search(text))
        found.stray = (
            found.stray or about or any(one.search(text) for one in (words.NUMBER, words.NEGATES, words.WISHES))
        )


def _is_no(sentence: list[Clause], text: str) -> bool:
    if words.DECLINES.search(text):
        return True
    rest = " ".join(clause.text for clause in sentence[1:])
    says_more = words.BEARS.search(rest) or words.NUMBER.search(rest) or words.ACCEPTS.search(rest)
    return bool(words.NO.fullmatch(sentence[0].text)) and not says_more


def _is_yes(sentence: list[Clause], text: str) -> bool:
    """True if the first clause is a yes, and the others are nothing, or accept as well."""
    first, *rest = sentence
    if not words.YES.fullmatch(first.text) or words.NEGATES.search(text):
        return False
    known = (words.ACCEPTS, words.RENEWS, words.BESIDE)
    return all(any(one.search(clause.text) for one in known) or words.YES.fullmatch(clause.text) for clause in rest)


def _is_doubtful(text: str) -> bool:
    """True for a condition, another number, irony within what else reads like an answer."""
    plain = words.SAME_TERM.sub("", text)
    numbered = words.NUMBER.search(plain) and not words.BESIDE.search(plain)
    return bool(words.CONDITIONS.search(plain) or words.IRONY.search(plain) or numbered)


_REASONS = re.compile(r"\b(?:because|since|as|so|after|but)\b.*$")


def _without_reasons(text: str) -> str:
    """A no without the reasons after it: what is told there of later and of others changes nothing. A condition stays."""
    return text if re.search(r"\b(?:if|unless|until)\b", text) else _REASONS.sub("", text)
