"""The page on which somebody chooses which optional mails they get, and how often; those that are owed it only names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from activities.mail.reader_rows import MailReader
from domain.frame.mail_kinds import MailTopic
from domain.mail.choices import PageChoice, Pick
from gateway.customer.drawing import Drawn, page_drawn, spoken_language, words_of

OFTEN = (None, 14, 30)
"""So many days apart; null for as often as usual."""


def mails_page(reader: MailReader, once: str, came: str = "") -> Drawn:
    """What they get today, to be changed."""
    language = spoken_language(reader.language)
    words: Mapping[str, Any] = words_of(language)
    topics = [
        (topic.value, *words["topics"][topic.value], not reader.unsubscribed and topic not in reader.declined)
        for topic in MailTopic
    ]
    often = [("" if days is None else str(days), words["often"][str(days or "usual")], days) for days in OFTEN]
    return page_drawn(
        "mails.html",
        language,
        words["title"]["mails"],
        words=words,
        reader=reader,
        topics=topics,
        often=often,
        once=once,
        came=words.get(came, ""),
    )


def chosen_mails(fields: Mapping[str, Sequence[str]]) -> PageChoice | None:
    """What a form of the page says; null for what is none of its."""
    wanted, every = set(fields.get("topic", ())), next(iter(fields.get("every", ())), "")
    if not wanted <= {topic.value for topic in MailTopic} or every not in {str(days or "") for days in OFTEN}:
        return None
    declined = tuple(topic for topic in MailTopic if topic.value not in wanted)
    return PageChoice(pick=Pick.MAILS, declined=declined, every_days=int(every) if every else None)
