"""What a mail says that waited for its server: nothing that is over by the day on which it leaves."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from domain.frame.lateness import on_day

WRITTEN = date(2026, 12, 30)
NOTICE = {
    "term_end": "2027-02-27",
    "auto_renew": True,
    "notice_by": "2027-01-05",
    "notice_over": False,
    "days_left": 59,
}


@pytest.mark.parametrize(
    ("template", "context"),
    [
        ("welcome", {"tasks": [{"title": {"en": "Kickoff"}, "due": "2026-12-01"}]}),
        ("touch_day_1", {}),
        ("renewal_notice", NOTICE),
    ],
)
def test_what_leaves_on_its_day_is_as_it_was_written(template: str, context: dict[str, Any]) -> None:
    assert on_day(template, context, WRITTEN, WRITTEN) is context


@pytest.mark.parametrize(
    ("template", "context", "today"),
    [
        ("touch_day_1", {}, date(2027, 1, 5)),
        ("touch_anniversary", {"years": 1}, date(2027, 1, 3)),
        ("onboarding_invite", {"due": "2027-01-06"}, date(2027, 1, 7)),
        ("onboarding_reminder", {"due": "2027-01-06", "days_late": 0}, date(2027, 1, 7)),
        ("renewal_notice", NOTICE, date(2027, 2, 28)),
        ("renewal_grace", {"grace_until": "2027-01-14"}, date(2027, 1, 15)),
        ("upsell_offer", {"expires": "2027-01-14"}, date(2027, 1, 15)),
        ("check_in", {"next_on": None}, date(2027, 1, 14)),
    ],
)
def test_what_is_over_is_dropped(template: str, context: dict[str, Any], today: date) -> None:
    assert isinstance(on_day(template, context, WRITTEN, today.replace(day=today.day - 1)), dict)
    assert isinstance(on_day(template, context, WRITTEN, today), str)


def test_what_it_counts_is_counted_to_the_day_on_which_it_leaves() -> None:
    said = on_day("renewal_notice", NOTICE, WRITTEN, date(2027, 1, 7))
    assert said == {**NOTICE, "days_left": 51, "notice_over": True}
    said = on_day("onboarding_reminder", {"due": "2026-12-28", "days_late": 2}, WRITTEN, date(2027, 1, 7))
    assert said == {"due": "2026-12-28", "days_late": 10}
    said = on_day("check_in", {"next_on": "2027-01-07"}, WRITTEN, date(2027, 1, 7))
    assert said == {"next_on": None}
    said = on_day("case_opened", {"answer_by": "2027-01-02T01:00:00+00:00"}, WRITTEN, date(2027, 1, 7))
    assert said == {"answer_by": None}
    tasks = [{"title": {"en": "Kickoff"}, "due": "2027-01-06"}, {"title": {"en": "Training"}, "due": "2027-01-20"}]
    said = on_day("welcome", {"tasks": tasks}, WRITTEN, date(2027, 1, 7))
    assert said == {"tasks": [{**tasks[0], "due": None}, tasks[1]]}


def test_documents_and_answers_leave_however_late() -> None:
    for template in ("documents", "renewal_confirmed", "contract_ended", "provisioning_done", "case_reply"):
        assert on_day(template, {"id": 1}, WRITTEN, date(2028, 1, 1)) == {"id": 1}
