"""What the comparison of agendas and facts says at its end."""

from __future__ import annotations

import pytest

from domain.journey.comparing import Difference, DifferenceKind
from gateway.reconciling import Looked, Totals
from workers.cli.reconciling import document, sum_up


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


def test_what_comes_up_while_others_are_mended_is_named() -> None:
    found = Difference(DifferenceKind.STEP_MISSING, "renewal:K-1:1/notice-60", "it is missing")
    new = Difference(DifferenceKind.DELIVERY_MISSING, "welcome#0", "nobody carries it")
    totals = Totals(1)
    looked = Looked("acme", [found], [new])
    totals.add([looked])
    said = document(totals, [looked], mended=True)
    assert [(one["about"], one["mended"], one.get("came_up")) for one in said["found"]] == [
        ("renewal:K-1:1/notice-60", True, None),
        ("welcome#0", False, True),
    ]
    assert said["standing"] == 1
