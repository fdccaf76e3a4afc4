"""Where a message stands, in words: on its way, held back, sent, dropped, refused."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domain.frame.flight import Channel, DeliveryStatus
from domain.frame.mail_names import mail_in_words, person_in_words
from domain.kernel.shown import to_the_minute

_SETTLED = {DeliveryStatus.SENT: "sent", DeliveryStatus.REJECTED: "refused", DeliveryStatus.WITHDRAWN: "dropped"}


def message_in_words(message: Mapping[str, Any], zone: str) -> str:
    """Such as `renewal notice to Jo Weber (main contact): sent 2027-09-01 09:00`. `message` has channel, what, to, name, role,
    status, since, at (null until it is settled) and why, instants as ISO 8601; they are shown in `zone`."""
    mail = message["channel"] == Channel.MAIL.value
    what = mail_in_words(message["what"]) if mail else f"notice “{message['what']}”"
    to = (
        f" to {person_in_words(message['name'], message['role']) if mail else message['name']}" if message["to"] else ""
    )
    return f"{what}{to}: {_state(message, zone)}"


def _state(message: Mapping[str, Any], zone: str) -> str:
    status, why = message["status"], f": {message['why']}" if message["why"] else ""
    if status == DeliveryStatus.HELD:
        return f"held back{why}"
    if status in _SETTLED:
        return f"{_SETTLED[status]} {_when(message['at'], zone)}{why if status != DeliveryStatus.SENT else ''}"
    return f"on its way since {_when(message['since'], zone)}"


def _when(at: str, zone: str) -> str:
    return to_the_minute(datetime.fromisoformat(at), zone)
