"""Steps in words, as the rows and bars of the Temporal UI show them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from domain.journey import Step
from domain.step_words import in_words

AT = datetime(2026, 10, 7, 9, tzinfo=UTC)


def _words(kind: str, stage: str, name: str) -> str:
    return in_words(Step(kind=kind, stage=stage, name=name, at=AT, on=AT.date()))


@pytest.mark.parametrize(
    ("kind", "stage", "name", "words"),
    [
        ("renewal_notice", "renewal:K-1:2", "notice-60", "Renewal notice, 60 days before the end, contract K-1"),
        ("renewal_notice", "renewal:K-1:2", "notice-1", "Renewal notice, 1 day before the end, contract K-1"),
        ("renewal_notice", "renewal:K-1:2", "notice-30.2", "Renewal notice, 30 days before the end, contract K-1"),
        ("onboarding_reminder", "onboarding:SO-1", "go_live-remind", "Onboarding reminder, go live, order SO-1"),
        ("onboarding_touch", "onboarding:SO-1", "touch-day_1", "Onboarding touch, day 1, order SO-1"),
        ("quote_expiry", "quote:Q-7", "expiry", "Quote expiry, quote Q-7"),
        ("service_review", "service", "review-C-17:4:resolved", "Service review"),
        ("adoption_check_in", "adoption", "check-in-3", "Adoption check in"),
    ],
)
def test_a_row_is_words(kind: str, stage: str, name: str, words: str) -> None:
    assert _words(kind, stage, name) == words


def test_a_long_row_ends_between_two_characters_within_its_bytes() -> None:
    words = _words("onboarding_invite", "onboarding:SO-1", "本番利用" * 40 + "-invite")
    assert 185 <= len(words.encode()) <= 190
    assert "�" not in words
