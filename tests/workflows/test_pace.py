"""A customer's first months: nobody gets two optional mails within three days, and what was put off is done."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from domain.pace import ANSWERS, QUIET_DAYS
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of, onboard, settled


@pytest.mark.parametrize("segment", ["standard", "tech_touch"])
async def test_optional_mails_keep_their_distance(servers: Servers, segment: str) -> None:
    document = order()
    document["account"]["segment"] = segment
    account, zone = account_of(document), ZoneInfo(document["account"]["time_zone"])
    await servers.client.place_order(document)
    await servers.client.fast_forward(account, timedelta(days=32))
    if segment == "standard":
        await onboard(servers.client, account)
    await servers.client.fast_forward(account, timedelta(days=80))
    await settled(servers.pool, account)
    rows = await servers.pool.fetch(
        "select body->>'template' as template, settled_at from outbox where account_id = $1 and channel = 'deliver_mail'"
        " and status = 'sent' and body->>'unsubscribe' is not null order by settled_at",
        account,
    )
    sent = [(row["settled_at"].astimezone(zone), row["template"]) for row in rows if row["template"] not in ANSWERS]
    assert len(sent) >= 4
    for (before, _), (after, template) in pairwise(sent):
        if template != "check_in":  # its day is foretold, and kept
            assert (after.date() - before.date()).days >= QUIET_DAYS, (template, after)
        assert after.hour == 9, template
    put_off = [line["key"] for line in await servers.journal(account) if line["kind"] == "put_off"]
    assert put_off
    agenda = await servers.client.agenda_of(account)
    assert agenda is not None
    done = {line["key"].partition("/")[2] for line in await servers.journal(account)}
    for key in put_off:
        step = key.partition("reschedule_pace:")[2].partition("@")[0]
        assert step in done | {one.key for one in agenda.steps}, "what is put off is done, or still to come"
