"""What people hear of a message that did not leave: it is held back, was dropped, or was refused for good."""

from __future__ import annotations

from datetime import datetime

from activities.channels import late_mails
from activities.frame import outbox
from activities.holds import hold_rows
from activities.kernel.pool import Connection
from domain.frame.decision import Decision, JournalLine, Notice
from domain.frame.flight import DeliveryCall
from domain.frame.mail_names import mail_in_words, person_in_words, role_in_words
from domain.frame.state import Outcome


async def note_not_sent(
    connection: Connection, call: DeliveryCall, row: outbox.Waiting, clearance: hold_rows.Clearance, at: datetime
) -> None:
    """A line of the journal: the message is held back, or dropped for good, and why."""
    if not row.account_id:
        return
    held = clearance is hold_rows.Clearance.HELD
    why = await outbox.why_not_sent(connection, row.delivery_id)
    says = f"{'Held back' if held else 'Dropped'}: {mail_in_words(row.body['template'])}; {why}"
    await late_mails.note(connection, call, row, at, clearance.value, says)


def addressee(row: outbox.Waiting) -> str:
    """To whom it goes, without a name: the briefing shows it."""
    return f" to the {role_in_words(row.role)}" if row.contact_id else f" to {row.staff_id}" if row.staff_id else ""


def told(row: outbox.Waiting, said: str, *, still: bool) -> Decision:
    """What the journal, the briefing and the owner hear of a message that was refused for good.

    still: the contact has that address still; otherwise there is nothing to mend.
    """
    if row.contact_id is None:
        says = f"A notice to staff was refused: {row.body['title']}"
        return Decision(JournalLine(says), Outcome(attention={"notice_refused": f"{says} ({said})"}))
    mail = mail_in_words(row.body["template"])
    says = f"The {mail} to {person_in_words(row.body['to_name'], row.role)} was refused for good"
    if not still:
        return Decision(JournalLine(f"{says}; the address has changed since"))
    lines = [
        f"The mail server said: {said}",
        "Find out the right address; it comes in with the contact of a later order.",
    ]
    attention: dict[str, str | None] = {
        f"address_rejected:{row.contact_id}": f"The {mail} to the {role_in_words(row.role)} was refused for good"
    }
    return Decision(JournalLine(says), Outcome(attention=attention), notices=[Notice(says, lines, to="owner")])
