"""Stories lived on the real stack come to what the accountant says, to the minor unit, on every day."""

from __future__ import annotations

from dataclasses import replace

import pytest

from activities.clock import present
from tests.accountant.compare import differences, judged
from tests.accountant.living import judge, reproduction
from tests.accountant.story import read_data, told
from tests.conftest import Servers

AGREED = (
    "added_to_a_contract_that_runs_out",
    "agreed_ahead_then_handed_over",
    "changes_for_a_quarter",
    "a_price_falls",
    "an_upsell_writes_one_line",
    "bought_for_a_quarter_later",
    "cancelled_at_the_end_of_the_term",
    "given_up_before_it_begins",
    "goodwill_over_all_then_cancelled",
    "in_curacao",
    "month_to_month_from_the_31st",
    "paid_years_and_quarters_are_handed_over",
    "renewed_from_a_clipped_day",
    "sold_by_a_quote_before_a_term_that_is_agreed_ahead",
    "thirteen_months_from_the_30th",
    "two_of_three_are_handed_over",
    "two_swaps_and_an_early_renewal",
    "yearly_from_a_leap_day",
)


@pytest.mark.parametrize("name", AGREED)
async def test_a_written_story(servers: Servers, name: str) -> None:
    today = present().date()
    document = next(each for each in read_data() if each["name"] == name)
    judgement = await judge(servers.client, servers.pool, told(document, f"acc-{name[:12]}", today))
    assert judgement.agrees, "\n".join(reproduction(judgement, None, today))
    lived = judgement.lived
    assert lived
    assert lived.documents
    for number in range(len(lived.documents)):
        without = replace(lived, documents=lived.documents[:number] + lived.documents[number + 1 :])
        assert differences(without, judged(lived)), "a document that is missing is missed"
