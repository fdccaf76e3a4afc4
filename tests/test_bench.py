"""The bench: groups can be measured, pages take what was measured between their marks and keep the rest, code is counted without words."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.bench import page
from tests.bench.__main__ import GROUPS
from tests.bench.meter import Spent, Turns
from tests.bench.peers.compare import code_lines
from tests.bench.recording import Names
from tests.bench.rows import Row

PERFORMANCE = Path(__file__).parents[1] / "docs" / "performance.md"


def said(*rows: tuple[str, Row], load: str = "0.1, 0.1, 0.1") -> dict[str, Any]:
    plain = [
        {"group": group} | row.plain() | {"measured": row.measured, "to_reach": row.to_reach} for group, row in rows
    ]
    return {"machine": {"cores": "2"}, "load": {"begin": load, "end": load}, "rows": plain, "peers": [], "failed": []}


@pytest.mark.parametrize("name", GROUPS)
def test_each_group_has_rows_and_says_what_it_measures(name: str) -> None:
    group = import_module(f"tests.bench.{name}")
    assert group.__doc__
    assert callable(group.rows)


def test_a_row_is_missed_above_its_goal_or_below_one_that_is_the_least() -> None:
    assert Row("cpu", 1.2, reach=1.1).kept is False
    assert Row("cpu", 1.0, reach=1.1).kept is True
    assert Row("rate", 0.9, reach=0.85, least=True).kept is True
    assert Row("rate", 0.8, reach=0.85, least=True).kept is False
    assert Row("said", 7).kept is None


def test_the_page_has_what_was_measured_and_keeps_everything_else() -> None:
    before = PERFORMANCE.read_text(encoding="utf-8")
    after = page.written(before, said(("year", Row("a figure", 1.25, reach=1.1, floor="8 ms", how="in | turn"))))
    assert "| a figure | 8 ms | 1.25 times (missed) | 1.1 times | in \\| turn |" in after
    assert page.written(after, said(("year", Row("another", 3)))).count("| a figure |") == 0
    assert after.split("<!-- figures: begin -->")[0] == before.split("<!-- figures: begin -->")[0]
    assert after.split("<!-- figures: end -->")[1] == before.split("<!-- figures: end -->")[1]
    with pytest.raises(ValueError, match="no marks"):
        page.written("a page", said(("year", Row("a figure", 1))))


def test_of_a_group_that_was_measured_twice_the_last_run_counts() -> None:
    first = said(("year", Row("old", 1)), ("year", Row("gone", 1)), ("cases", Row("kept", 1)), load="1")
    found = page.together([first, said(("year", Row("new", 2)), load="2")])
    assert [row["figure"] for row in found["rows"]] == ["new", "kept"]
    assert found["load"] == {"begin": "1", "end": "2"}


def test_the_ratio_is_the_one_in_the_middle_of_the_turns() -> None:
    ours = [Spent(1, {"worker": cpu}) for cpu in (2.0, 9.0, 3.0)]
    floor = [Spent(1, {"worker": cpu}) for cpu in (1.0, 1.0, 2.0)]
    assert Turns(ours, floor).cpu == 2.0


def test_another_customer_is_named_wherever_the_first_was() -> None:
    names = Names({"bench-00000": "bare-00001", "10458dfb9dcdcba5": "0123456789abcdef"})
    value = ("bench-00000", ["K-bench-00000"], {"bench-00000/a": "10458dfb9dcdcba5"}, 7)
    assert names.of(value) == ("bare-00001", ["K-bare-00001"], {"bare-00001/a": "0123456789abcdef"}, 7)


def test_lines_of_code_are_counted_without_words_about_them(tmp_path: Path) -> None:
    file = tmp_path / "some.py"
    file.write_text('"""What it is."""\n\n# why\nA = 1\n\n\ndef b() -> int:\n    """Says it."""\n    return A\n')
    assert code_lines(file) == 3
