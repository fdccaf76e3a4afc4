"""How far a renewal has come, and what it is likely to bring."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.contracts.forecast import DueRenewal, RenewalCategory, RenewedIn, category_of, forecast, speed

TODAY = date(2027, 3, 1)


def _due(**fields: Any) -> DueRenewal:
    return DueRenewal(
        **{
            "contract_id": "K-1",
            "account_id": "acme",
            "account": "Acme",
            "owner": "Ann Lee",
            "currency": "EUR",
            "until": date(2027, 6, 1),
            "arr": Decimal(1200),
            "auto_renew": False,
            "notice_days": 30,
            "status": "active",
            **fields,
        }
    )


@pytest.mark.parametrize(
    ("fields", "category"),
    [
        ({}, RenewalCategory.OPEN),
        ({"quoted": True}, RenewalCategory.PROBABLE),
        ({"quoted": True, "band": "healthy"}, RenewalCategory.PROBABLE),
        ({"quoted": True, "band": "watch"}, RenewalCategory.AT_RISK),
        ({"auto_renew": True}, RenewalCategory.PROBABLE),
        # The last day of the term is 30 March; declined until 28 February.
        ({"auto_renew": True, "until": date(2027, 3, 31)}, RenewalCategory.COMMIT),
        # The last day of the term is 31 March; it can be declined today.
        ({"auto_renew": True, "until": date(2027, 4, 1)}, RenewalCategory.PROBABLE),
        ({"auto_renew": True, "until": date(2027, 3, 15), "blocked": True}, RenewalCategory.AT_RISK),
        ({"status": "grace", "until": date(2027, 2, 20)}, RenewalCategory.AT_RISK),
        ({"status": "declined", "reason": "price"}, RenewalCategory.LOST),
        ({"status": "ended"}, RenewalCategory.LOST),
        ({"status": "ended", "renewed": True}, RenewalCategory.RENEWED),
    ],
)
def test_a_renewal_is_in_the_category_that_is_known_of_it(fields: dict[str, Any], category: RenewalCategory) -> None:
    assert category_of(_due(**fields), TODAY)[0] is category


def test_what_is_likely_is_never_more_than_what_is_due_and_the_first_to_end_comes_first() -> None:
    found = forecast(
        [
            _due(contract_id="b", quoted=True),
            _due(contract_id="a", until=date(2027, 5, 1)),
            _due(contract_id="c", renewed=True),
        ],
        TODAY,
    )
    assert [(one.due.contract_id, one.month, one.likely) for one in found] == [
        ("a", "2027-04", Decimal(720)),
        ("b", "2027-05", Decimal(960)),
        ("c", "2027-05", Decimal(1200)),
    ]
    assert category_of(_due(status="declined", reason="price"), TODAY)[1] == "price"


def test_the_median_of_what_renewals_took() -> None:
    at = datetime(2027, 3, 1, tzinfo=UTC)

    def took(hours: float | None) -> RenewedIn:
        asked = None if hours is None else at - timedelta(hours=hours)
        return RenewedIn(contract_id="K-1", account="Acme", asked_at=asked, renewed_at=at)

    found = speed([took(100), took(None), took(30), took(2)])
    assert found.median == timedelta(hours=16)
    assert found.within == {"an hour": 1, "a day": 1, "3 days": 1, "longer": 1}
    assert speed([]).median is None
