"""Stories lived on the real stack come to what the accountant says, to the minor unit, on every day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from activities.kernel.clock import present
from tests.accountant.compare import differences, judged
from tests.accountant.in_memory import judge_by_rules
from tests.accountant.living import judge, reproduction
from tests.accountant.story import read_data, told
from tests.conftest import Servers

AFTER = date(2026, 11, 28)

OF_RULES = (
    "two_swaps_and_an_early_renewal",
    "added_to_a_contract_that_runs_out",
    "a_ramp_of_a_year",
    "an_upsell_writes_one_line",
    "cancelled_at_the_end_of_the_term",
    "changes_for_a_quarter",
    "month_to_month_from_the_31st",
    "renewed_from_a_clipped_day",
    "thirteen_months_from_the_30th",
    "yearly_from_a_leap_day",
)
"""What contracts sell and what changes it: by the rules each time, through the doors one of them and all at night."""

OF_DOORS = (
    "bought_for_a_quarter_later",
    "given_up_before_it_begins",
    "goodwill_over_all_then_cancelled",
    "in_curacao",
)
ON_ENGINE = (
    "a_price_falls",
    "sold_by_a_quote_before_a_term_that_is_agreed_ahead",
    "too_late_for_one_contract_too_early_for_another",
    "two_of_three_are_handed_over",
)
"""Purchases, quotes, transfers and what is given back: through the doors, some of them on Temporal's own server."""

LONG = ("agreed_ahead_then_handed_over", "paid_years_and_quarters_are_handed_over")


@pytest.mark.parametrize("name", OF_RULES)
def test_a_written_story_in_memory(name: str) -> None:
    document = next(each for each in read_data() if each["name"] == name)
    judgement = judge_by_rules(told(document, f"acc-{name[:12]}", AFTER))
    assert judgement.agrees, judgement.differences
    assert judgement.lived
    assert judgement.lived.documents
    assert {done.refused for done in judgement.lived.done} - {""} == {
        act["refused"] for act in document["acts"] if "refused" in act
    }


@pytest.mark.parametrize(
    "name",
    [
        *OF_DOORS,
        *(pytest.param(each, marks=pytest.mark.engine) for each in ON_ENGINE),
        *(pytest.param(each, marks=(pytest.mark.slow("stories"), pytest.mark.engine)) for each in (*OF_RULES, *LONG)),
    ],
)
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
