"""Mails of one instant to one person leave as one, the most useful first. Pure.

What is owed does not wait for that: only what sets out at the same moment anyway is put into one message. Something optional goes along
with an answer or with other optional mails, not with what is owed by contract, unless it is thanks for another year. A mail that asks for
an answer of its own leaves alone, but for a question whose answer is a number: one of them goes along with news of go-live, a check-in and the like.

What one of our people is told of a customer at one instant is one mail as well, in the order in which it was written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from activities.frame.outbox import Waiting
from domain.frame.flight import Channel, DeliveryStatus
from domain.frame.mail_kinds import MailKind, rank, template_of
from domain.frame.messages import OutgoingMail, StaffNotice

Row = tuple[Waiting, OutgoingMail]


def groups(rows: Iterable[Row]) -> list[list[Row]]:
    """The mails that leave as one, each group in the order in which its parts are read; what leaves alone is in none."""
    by_reader: dict[tuple[str, ...], list[Row]] = {}
    for row, mail in rows:
        if _may_join(row, mail):
            reader = (mail.to_email.lower(), mail.to_name, mail.language, mail.time_zone)
            by_reader.setdefault(reader, []).append((row, mail))
    return [group for some in by_reader.values() for group in _groups(some) if len(group) > 1]


def _may_join(row: Waiting, mail: OutgoingMail) -> bool:
    plain = mail.in_reply_to is None and not mail.references and mail.files_from is None and mail.automatic
    return row.status is DeliveryStatus.WAITING and plain and not template_of(mail.template).alone


def _groups(rows: Sequence[Row]) -> list[list[Row]]:
    ordered = sorted(rows, key=lambda one: (rank(one[1].template), one[0].created_at, one[0].delivery_id))
    asking = [one for one in ordered if template_of(one[1].template).asks]
    said = [one for one in ordered if one not in asking]
    if any(template_of(mail.template).kind is MailKind.ANSWER for _, mail in said):
        return [_with_question(said, asking)]
    owed = [one for one in said if template_of(one[1].template).kind is MailKind.CONTRACTUAL]
    if owed:
        owed += [one for one in said if template_of(one[1].template).with_owed]
    return [owed, _with_question([one for one in said if one not in owed], asking)]


def _with_question(said: list[Row], asking: list[Row]) -> list[Row]:
    taken = any(template_of(mail.template).takes_question for _, mail in said)
    return [*said, *asking[:1]] if taken else said


Told = tuple[Waiting, StaffNotice]
Leaving = tuple[Waiting, OutgoingMail | StaffNotice]
"""A message with its row."""


def told_together(rows: Iterable[Told]) -> list[list[Told]]:
    """The notices that leave as one, each group in the order in which it is read. What passes on a customer's words, or can be replied
    to, leaves alone."""
    by_reader: dict[tuple[str, ...], list[Told]] = {}
    for row, notice in sorted(rows, key=lambda one: (one[0].created_at, one[0].delivery_id)):
        if row.status is DeliveryStatus.WAITING and not notice.words and notice.case_id is None:
            by_reader.setdefault((notice.to_email.lower(), notice.to_name, notice.account_id), []).append((row, notice))
    return [group for group in by_reader.values() if len(group) > 1]


def as_before(rows: Sequence[Waiting], lead: str) -> Sequence[Leaving] | None:
    """The messages of these rows as they may have left in one, that of `lead`; null if they would not leave so any more."""
    mails = [(row, OutgoingMail.model_validate(row.body)) for row in rows if row.channel is Channel.MAIL]
    notices = [(row, StaffNotice.model_validate(row.body)) for row in rows if row.channel is Channel.NOTICE]
    found: list[Sequence[Leaving]] = [*groups(mails), *told_together(notices)]
    if len(found) != 1 or len(found[0]) != len(rows) or found[0][0][0].delivery_id != lead:
        return None
    return found[0]
