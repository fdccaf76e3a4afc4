"""Internal notices to staff. A port of its own: mail is the first way, chat services are others."""

from __future__ import annotations

from typing import Protocol

from activities.channels.mail import MailChannel
from domain.messages import OutgoingMail, StaffNotice


class NoticeChannel(Protocol):
    """A way to tell a member of staff something."""

    async def send(self, notice: StaffNotice) -> str:
        """Deliver `notice` and return the channel's own id of the message, the same on every resend.

        Raises ChannelUnavailableError if it should be tried again later.
        """


class MailNotices:
    """Notices by mail, in English."""

    def __init__(self, mail_channel: MailChannel) -> None:
        self._mail_channel = mail_channel

    async def send(self, notice: StaffNotice) -> str:
        """Mail `notice` and return its Message-ID. Raises what `MailChannel.send` raises."""
        return await self._mail_channel.send(
            OutgoingMail(
                delivery_id=notice.delivery_id,
                template="notice",
                to_name=notice.to_name,
                to_email=notice.to_email,
                language="en",
                time_zone=notice.time_zone,
                context={
                    "title": notice.title,
                    "company": notice.company,
                    "account_id": notice.account_id,
                    "lines": list(notice.lines),
                    "words": [part.strip().splitlines() for part in notice.words.split("\n\n") if part.strip()],
                    "due": notice.due.isoformat() if notice.due else None,
                    "answers": notice.case_id if self._mail_channel.takes_answers else None,
                },
                at=notice.at,
                key=notice.key,
            )
        )
