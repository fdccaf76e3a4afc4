"""What the mails of a year may cost: billable actions by the published rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench_year import demo_year

BEFORE = 262
"""as many as when 40 mails left in that year; it has 50 now"""
STARTS = 5
"""of workflows and of their later runs, in those"""
ROLLOVER = 2
"""a start and a timer set again; one more or less falls into the year by the bytes of its history"""


@pytest.mark.slow("cost")
async def test_the_mails_of_the_demos_year_cost_no_more_actions_than_before(tmp_path: Path) -> None:
    kinds = await demo_year(tmp_path)
    more = kinds["workflow_execution_started"] - STARTS
    assert kinds.total() - ROLLOVER * more <= BEFORE, kinds
