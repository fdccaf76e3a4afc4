"""What work on a case sends, as rows of the outbox, and what its workflow learns."""

from __future__ import annotations

import re
from typing import Any

from activities.frame.outbox import OutboxRow
from activities.frame.outgoing import Origin, mail_row, notice_row
from domain.kernel.shown import shorten
from domain.service.case_effects import CaseMail, CaseNotice
from domain.service.case_progress import CaseOutcome
from domain.service.casework import Work

COPIED = 4000
"""Characters of a customer's message that a copy of it shows; all of it is in the case."""
THREAD = 20
"""How many messages of a thread a mail's References name."""

_HEADER_ID = re.compile(r"<[!-;=?-~]{1,900}>")


def case_mail(work: Work, mail: CaseMail, origin: Origin) -> OutboxRow:
    """A mail to whoever the case is with, in the thread of what was written before."""
    case, contact = work.case, work.case.contact
    owner = work.before.staff.get(case.owner_id or "")
    earlier = [one for one in work.before.messages if not one.withdrawn]
    # What this very work kept was heard as well: the message that opened the case, above all.
    ids = [(one.message_id, one.direction == "inbound") for one in earlier] + [
        (one.message_id, True) for one in work.messages
    ]
    thread = [(id, heard) for id, heard in ids if id is not None and _HEADER_ID.fullmatch(id)]
    answered = [id for id, heard in thread if heard] or [id for id, _ in thread]
    return mail_row(
        contact,
        origin,
        mail.id,
        template=mail.template,
        context=mail.context,
        reply_to=owner.email if owner else None,
        in_reply_to=answered[-1] if answered else None,
        references=tuple(dict.fromkeys(id for id, _ in thread))[-THREAD:],
        automatic=mail.automatic,
        files_from=mail.files_from,
        key=origin.signed_by,
        unsubscribe=f"{case.account_id}/{contact.contact_id}" if mail.optional and contact.contact_id else None,
    )


def case_notice(work: Work, notice: CaseNotice, origin: Origin) -> OutboxRow:
    """A notice about the case; signed is the address by which its reader answers the customer."""
    account = work.before.account
    return notice_row(
        notice.to,
        origin,
        notice.lines,
        notice.id,
        title=notice.title,
        account_id=account.account_id if account else "unknown",
        company=account.name if account else work.case.contact.name or "an unknown customer",
        words=shorten(notice.words, COPIED),
        case_id=work.case_id if work.reachable else None,
        key=origin.signed_by if work.reachable else None,
        due=notice.due,
        time_zone=account.time_zone if account else "UTC",
    )


def case_outcome(work: Work, rows: list[OutboxRow]) -> CaseOutcome:
    """What the workflow learns: only what there is, so that histories stay small."""
    case = work.case
    answer = {"case_id": case.case_id, "status": case.status.value, "version": case.version, **work.answer}
    fields: dict[str, Any] = {
        "view": work.view(),
        "deliveries": {row.delivery_id: row.channel for row in rows},
        "tell": work.tell,
        "attention": {**work.attention, **{f"unreadable:{one.name}": str(one) for one in work.before.unreadable}},
        "said": work.said(),
        "answer": answer,
    }
    return CaseOutcome.model_validate({name: value for name, value in fields.items() if value})
