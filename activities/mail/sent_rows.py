"""Mails that have left, for whoever wants to read what a customer got."""

from __future__ import annotations

from pydantic import AwareDatetime

from activities.kernel.queries import Models
from domain.frame.messages import OutgoingMail
from domain.kernel.base import Carried


class LeftMail(Carried):
    """A mail that has left. `lead`: the one whose message it is; others left within it."""

    delivery_id: str
    account_id: str | None = None
    stage: str
    body: OutgoingMail
    sent_at: AwareDatetime
    lead: bool


parts_of_message = Models(
    LeftMail,
    "with message as (select coalesce(left_with, delivery_id) as id from outbox where delivery_id = $1)"
    " select o.delivery_id, o.account_id, o.stage, o.body, o.settled_at as sent_at, o.delivery_id = m.id as lead"
    " from message m join outbox o on o.delivery_id = m.id or o.left_with = m.id"
    " where o.channel = 'deliver_mail' and o.status = 'sent' order by o.created_at, o.delivery_id",
)
"""The mails of the message that a mail has left in, if it has."""
