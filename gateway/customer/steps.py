"""The page of somebody's onboarding: its steps with their days, of which they say that one is done, that another day would suit, or that
they need help. What they say goes where a reply would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from activities.channels.formats import Formats
from activities.mail.reader_rows import MailReader, PromisedStep
from domain.frame.keys import about
from domain.frame.playbook import TaskOwner
from domain.frame.success_facts import OnboardingTaskStatus
from domain.kernel.calendar import local_day
from domain.mail.choices import PageChoice, Pick, StepSaid, StepWord
from gateway.customer.drawing import Drawn, page_drawn, spoken_language, words_of

COMMENT_LIMIT = 1000
_AHEAD_DAYS = 366


def steps_page(
    reader: MailReader,
    steps: Sequence[PromisedStep],
    once: str,
    fields: Mapping[str, str],
    wrong: str = "",
    came: str = "",
) -> Drawn:
    """All of them; what people still have to do can be told of."""
    language = spoken_language(reader.language)
    words: Mapping[str, Any] = words_of(language)
    formats = Formats.of(reader.language, reader.time_zone, language)
    stages = {step.stage for step in steps}
    shown = [
        {
            "key": _key(step),
            "title": formats.text(step.title) + (f" ({about(step.stage)})" if len(stages) > 1 else ""),
            "due": formats.date(step.due_on.isoformat()),
            "done": step.status is OnboardingTaskStatus.DONE,
            "asks": takes_word(step),
            "waits_for_us": step.waits_for == "us",
        }
        for step in steps
    ]
    return page_drawn(
        "steps.html",
        language,
        words["title"]["steps"],
        words=words,
        reader=reader,
        steps=shown,
        picks=[(word.value, words[f"step_{word.value}"]) for word in StepWord],
        once=once,
        fields=fields,
        limit=COMMENT_LIMIT,
        wrong=words.get(wrong, ""),
        came=words.get(came, ""),
    )


def takes_word(step: PromisedStep) -> bool:
    """True for what is still to be done by people, of either side: a meeting wants a day from both."""
    return step.owner != TaskOwner.SYSTEM and step.status is OnboardingTaskStatus.OPEN


def _key(step: PromisedStep) -> str:
    return f"{step.name} {about(step.stage)}"


def said_of_step(
    reader: MailReader, steps: Sequence[PromisedStep], fields: Mapping[str, str]
) -> tuple[PageChoice, str] | str:
    """What a form says, with the words in which people read it; or what is wrong with it."""
    step = next((one for one in steps if _key(one) == fields.get("step") and takes_word(one)), None)
    word = fields.get("pick", "")
    if step is None or word not in set(StepWord):
        return "step_gone" if step is None else "wrong"
    day = day_ahead(fields.get("day", ""), local_day(reader.now, reader.time_zone))
    if word == StepWord.DAY and day is None:
        return "step_no_day"
    said = StepSaid(
        word=StepWord(word), task=step.name, order_id=about(step.stage), day=day if word == StepWord.DAY else None
    )
    language = spoken_language(reader.language)
    formats = Formats.of(reader.language, reader.time_zone, language)
    told = {"title": formats.text(step.title), "day": formats.date(day.isoformat()) if day else ""}
    line = str(words_of(language)[f"told_{word}"]).format(**told)
    comment = fields.get("comment", "").strip()[:COMMENT_LIMIT]
    return PageChoice(pick=Pick.STEP, step=said), f"{line}\n\n{comment}" if comment else line


def day_ahead(text: str, today: date) -> date | None:
    """The day that was typed; null for what is none, is over or is more than a year away."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 0 <= (day - today).days <= _AHEAD_DAYS else None
