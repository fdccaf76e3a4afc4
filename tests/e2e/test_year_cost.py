"""What the mails of a year may cost: billable actions by the published rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench_year import demo_year

BEFORE = 262
"""as many as when 40 mails left in that year; it has 50 now"""


@pytest.mark.slow("cost")
async def test_the_mails_of_the_demos_year_cost_no_more_actions_than_before(tmp_path: Path) -> None:
    kinds = await demo_year(tmp_path)
    assert kinds.total() <= BEFORE, kinds
