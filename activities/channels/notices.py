"""Internal notices to staff. A port of its own: mail is the first way, chat services are others."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import quote

from activities.channels.formats import Formats
from activities.channels.mail import MailChannel
from activities.channels.staff_words import StaffWords, sentences
from domain.frame.messages import OutgoingMail, StaffNotice
from domain.frame.notice_acts import verb
from domain.kernel.calendar import local_day


class NoticeChannel(Protocol):
    """A way to tell a member of staff something."""

    async def send(self, notice: StaffNotice, others: Sequence[StaffNotice] = ()) -> str:
        """Deliver `notice`, with `others` to the same person about the same customer, and return the channel's own id of the message,
        the same on every resend.

        Raises ChannelUnavailableError if it should be tried again later.
        """


class MailNotices:
    """Notices by mail, in the language of whoever is told: whole, or in English.

    language: that of people whose record names none; titles: of tasks and the like, by language and their English ones; console: where
    our people reach the pages that notices lead to.
    """

    def __init__(
        self,
        mail_channel: MailChannel,
        language: str = "en",
        titles: Mapping[str, Mapping[str, str]] | None = None,
        console: str | None = None,
    ) -> None:
        self._mail_channel = mail_channel
        self._console = console.rstrip("/") if console else None
        self._language = language
        self._titles = titles or {}
        self._words: dict[str, StaffWords] = {}

    async def send(self, notice: StaffNotice, others: Sequence[StaffNotice] = ()) -> str:
        """Mail `notice`, and `others` below it, and return its Message-ID. Raises what `MailChannel.send` raises."""
        said = [(one, *self._said(one)) for one in (notice, *others)]
        if len({language for _, language, *_ in said}) > 1:  # whole in a language, or in English
            said = [(one, "en", one.title, list(one.lines)) for one, *_ in said]
        language = said[0][1]
        first, *more = [self._part(one, language, title, lines) for one, _, title, lines in said]
        answers = notice.case_id if self._mail_channel.takes_answers else None
        return await self._mail_channel.send(
            OutgoingMail(
                delivery_id=notice.delivery_id,
                template="notice",
                to_name=notice.to_name,
                to_email=notice.to_email,
                language=language,
                time_zone=notice.time_zone,
                context={
                    **first,
                    "company": notice.company,
                    "account_id": notice.account_id,
                    "more": more,
                    "answers": answers,
                },
                at=notice.at,
                key=notice.key,
            )
        )

    def _part(self, notice: StaffNotice, language: str, title: str, lines: list[str]) -> dict[str, Any]:
        """What a mail says of one notice."""
        title, lines, due = _dated(notice, language, title, lines)
        return {
            "title": title,
            "lines": lines,
            "words": [part.strip().splitlines() for part in notice.words.split("\n\n") if part.strip()],
            "due": due.isoformat() if due else None,
            "links": self._links(notice, language),
        }

    def _said(self, notice: StaffNotice) -> tuple[str, str, list[str]]:
        language = re.split("[-_]", notice.language or self._language)[0].lower()
        if language not in self._words:
            self._words[language] = StaffWords(sentences(language), self._titles.get(language, {}))
        said = self._words[language].notice(notice.title, notice.lines, notice.own)
        return (language, *said) if said else ("en", notice.title, list(notice.lines))

    def _links(self, notice: StaffNotice, language: str) -> list[dict[str, str]]:
        """Where the console has what a notice asks, by verbs: none without a console."""
        if self._console is None:
            return []
        customer = f"{self._console}/customers/{quote(notice.account_id, safe='')}"
        if notice.case_id:
            found = [("See the case", f"{self._console}/cases/{quote(notice.case_id, safe='')}")]
        elif not notice.account_id:
            found = [("See what is to be done", f"{self._console}/")]
        else:
            found = [(verb(one), f"{customer}/acts/{one}") for one in notice.acts] or [("See the customer", customer)]
        words = self._words.get(language)
        return [{"words": (words and words.said(says)) or says, "url": url} for says, url in found]


def _dated(notice: StaffNotice, language: str, title: str, lines: list[str]) -> tuple[str, list[str], datetime | None]:
    """A notice with its days and sums in words, and until when it is to be done, unless a line says that day already."""
    try:
        formats = Formats.of(language, notice.time_zone, language)
    except ValueError:
        return title, lines, notice.due  # that there is no such zone is said where it is rendered
    lines = [line if n in notice.own else formats.familiar(line) for n, line in enumerate(lines)]
    day = formats.date(local_day(notice.due, formats.zone).isoformat()) if notice.due else None
    said = day is not None and any(day in line for line in lines)
    return formats.familiar(title), lines, None if said else notice.due
