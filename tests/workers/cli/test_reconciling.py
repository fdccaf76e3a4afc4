"""What the comparison of agendas and facts says at its end."""

from __future__ import annotations

import pytest

from gateway.reconciling import Totals
from workers.cli.reconciling import sum_up


@pytest.mark.parametrize(
    ("by_kind", "mend", "says"),
    [
        ({"unreadable": 2}, False, "left for a person: mend the rows"),
        ({"unreadable": 2}, True, "left for a person: mend the rows"),
        ({"unreadable": 1, "not_running": 1}, False, "--mend` mends them"),
    ],
)
def test_what_cannot_be_read_is_no_matter_of_mending(
    by_kind: dict[str, int], mend: bool, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sum_up(Totals(2, looked=2, differences=2, standing=2, by_kind=by_kind), mend=mend)
    assert says in " ".join(capsys.readouterr().out.split())
