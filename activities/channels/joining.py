"""Mails of one instant to one person leave as one, the most useful first. Pure.

What is owed does not wait for that: only what sets out at the same moment anyway is put into one message. Something optional goes along
with an answer or with other optional mails, not with what is owed by contract, unless it is thanks for another year. A mail that asks for
an answer of its own leaves alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from activities.frame.outbox import Waiting
from domain.frame.flight import DeliveryStatus
from domain.frame.mail_kinds import MailKind, rank, template_of
from domain.frame.messages import OutgoingMail

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
    kinds = {template_of(mail.template).kind for _, mail in ordered}
    if MailKind.ANSWER in kinds:
        return [ordered]
    owed = [one for one in ordered if template_of(one[1].template).kind is MailKind.CONTRACTUAL]
    if owed:
        owed += [one for one in ordered if template_of(one[1].template).with_owed]
    return [owed, [one for one in ordered if one not in owed]]
