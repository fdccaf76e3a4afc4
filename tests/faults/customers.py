"""The customers of a run: the accountant's random stories, and what else customers and our people do meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from random import Random
from typing import Any

from tests.accountant.stories import Maker
from tests.accountant.story import Story, told

DOMAIN = "perennial.example"
SERVICE = f"service@{DOMAIN}"
LONG_EVERY = 6
"""Each so many-th life lasts for years, the others for months."""
LONG, SHORT = (450, 800), (60, 90, 120)


@dataclass(frozen=True)
class Customer:
    """A life: one story with its acts, in their order, and the name under which it is found again."""

    number: int
    story: Story
    acts: tuple[dict[str, Any], ...]
    by_http: bool


def customer(seed: int, number: int, after: date, days: tuple[int, ...] | None = None) -> Customer:
    """Life `number` of a seed: the same every time on the same day. days: how many it has at most, one of these."""
    lengths = days or (LONG if number % LONG_EVERY == 0 else SHORT)
    dice = Random(f"faults:{seed}/{number}")
    maker = Maker(Random(f"{seed}/{number}"), f"{seed}/{number}", after, lengths=lengths)
    story = told(maker.story(), f"f{number}", after)
    acts = [_named(act, n) for n, act in enumerate(story.acts)]
    acts += _more(dice, story, number)
    acts.sort(key=lambda act: (act["day"], act["at"]))
    return Customer(number, story, tuple(acts), dice.random() < 0.5)


def _named(act: dict[str, Any], number: int) -> dict[str, Any]:
    """An act whose request has an id: it can be sent again."""
    if "ask" not in act or "request_id" in act["request"]:
        return act
    return {**act, "request": {**act["request"], "request_id": f"r-{number}"}}


def _more(dice: Random, story: Story, number: int) -> list[dict[str, Any]]:
    """A case that somebody opens and our people work on, now and then a mail that opens one, and use that is reported: all of it
    `beside` what the accountant hears of."""
    who = story.accounts[0]["account_id"]
    found: list[dict[str, Any]] = []
    day = dice.randrange(1, max(2, story.days - 8))
    case = f"S-{who}"
    found.append(_case(who, case, day, "09:30", open={"subject": "The till is down", "urgency": "low"}))
    asked = (("respond", {"body": "We look into it."}), ("customer_message", {"body": "Any news?", "channel": "phone"}))
    for n, (ask, body) in enumerate(asked[: dice.randrange(3)]):
        request = {**body, "request_id": f"{case}-{n}", **({"by": "s-1"} if ask == "respond" else {})}
        found.append(_case(who, case, day + 1 + n, "10:30", ask=ask, request=request))
    resolved = {"code": "fixed", "text": "A new cable.", "by": "s-1", "request_id": f"{case}-resolved"}
    found.append(_case(who, case, day + 4, "15:00", ask="resolve", request=resolved))
    if dice.random() < 0.6:
        found.append({"day": dice.randrange(1, story.days - 3), "at": "10:00", "who": who, "mail": f"{number}.1"})
    if dice.random() < 0.4:
        found += [
            {"day": day, "at": "12:30", "who": who, "used": dice.randrange(1, 30)} for day in range(8, story.days, 28)
        ]
    return [{**act, "beside": True} for act in found if act["day"] < story.days]


def _case(who: str, case: str, day: int, at: str, **more: Any) -> dict[str, Any]:
    return {"day": day, "at": at, "who": who, "case": case, **more}


def letter(account: str, mark: str, at: datetime) -> bytes:
    """A mail that a customer writes to our service."""
    message = EmailMessage(policy=SMTP)
    message["From"] = Address("Jo Weber", addr_spec=f"jo@{account}.example")
    message["To"] = SERVICE
    message["Subject"] = f"The printer of shop {mark} is down"
    message["Date"] = at
    message["Message-ID"] = f"<{mark}.{account}@customer.example>"
    message.set_content(f"Since nine o'clock nothing prints in shop {mark}.")
    return message.as_bytes()


def weeks_of_use(account: str, today: date, users: int) -> list[tuple[str, str, date, int]]:
    """Account, product, day and active users of the four weeks before a day."""
    return [(account, "CRM", today - timedelta(days=n), users) for n in range(1, 29)]
