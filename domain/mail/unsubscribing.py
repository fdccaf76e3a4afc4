"""Unsubscribing: the wish for no more optional mails, in the words of the footers and in the customers' own."""

from __future__ import annotations

from domain.mail.clauses import Clause
from domain.mail.spelled import spelled_out
from domain.mail.wording import Wording

_said = Wording("unsubscribing")


def unsubscribes(said: list[list[Clause]], *, asked: bool = False) -> bool:
    """True if a reply asks for no more mails: one of its sentences says so.

    Args:
        asked: it answers a quote, an offer or a renewal, so that "we don't need this" is about that.
    """
    alone = len(said) == 1 and len(said[0]) == 1
    own = [sentence for sentence in said if not _said.footer.search(", ".join(clause.text for clause in sentence))]
    return any(
        any(_wants(clause, alone=alone, asked=asked) for clause in sentence) or _says_so(sentence) for sentence in own
    )


def mentions_it(said: list[list[Clause]]) -> bool:
    """True if a reply speaks of unsubscribing without asking for it clearly."""
    return any(_said.about.search(clause.text) for sentence in said for clause in sentence)


def _says_so(sentence: list[Clause]) -> bool:
    """True if a sentence wishes for no more mails in words of its own."""
    text = spelled_out(", ".join(clause.text for clause in sentence))
    if any(clause.asks for clause in sentence) and not (
        _said.polite_question.search(text) or _said.polite_english.search(text)
    ):
        return False
    if _said.english.search(text):
        return not _said.past.search(text) and not _said.negated.search(text)
    return bool(_said.japanese.search(text)) and not _said.other_ways_ja.search(text) and not _said.negated.search(text)


def _wants(clause: Clause, *, alone: bool, asked: bool) -> bool:
    text = _said.leads.sub("", spelled_out(clause.text))
    if not _said.wants.fullmatch(text) or (_said.negated.search(text) and "interested" not in text):
        return False
    if (clause.asks and not _said.polite_question.search(text)) or _said.other_ways_ja.search(text):
        return False
    if asked and _said.this.search(text):
        return False
    if _said.short.fullmatch(text):
        return alone  # "stop" within a longer reply may be about a machine
    return not _said.needs_mail_word.search(text) or bool(_said.japanese_mail.search(text))
