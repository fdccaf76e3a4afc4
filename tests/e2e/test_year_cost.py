"""What a customer's year may cost: billable actions by the published rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.demo import demo_year

BUDGET = 390
"""262 of a year of 40 mails; what help in steps, a renewal that people look at, and usage of each feature ask for; and twenty for three
surveys with their answers, and for a promoter who is asked for a reference; sixty for a second contract with its onboarding and its
renewal ladder, one more order, and a third case; one for what is found by night and told in the morning,
and thirty for the week it begins in: holidays decide how long cases wait and what is told together; seven weeks cost 362 to 385"""
STARTS = 9
"""of workflows and of their later runs, in those"""
ROLLOVER = 2
"""a start and a timer set again; one more or less falls into the year by the bytes of its history"""


@pytest.mark.slow("cost")
async def test_the_demos_year_stays_within_its_budget_of_actions(tmp_path: Path) -> None:
    kinds = await demo_year(tmp_path)
    more = kinds["workflow_execution_started"] - STARTS
    assert kinds.total() - ROLLOVER * more <= BUDGET, kinds
