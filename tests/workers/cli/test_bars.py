"""Progress bars end where the work ends; the demo's tables say in which zone their times are, and show texts as they are."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from workers.cli import imports
from workers.rehearsal.summary import show, show_cases


def test_a_bar_of_unknown_length_is_full_at_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Console(file=io.StringIO(), force_terminal=True, width=100)
    monkeypatch.setattr(imports, "progress_console", shown)
    with imports.bars() as progress:
        progress("scanning", 50, None)
        progress("importing", 3, 4)
        progress("importing", 4, 4)
    last = shown.file.getvalue().rsplit("scanning", 1)[1]  # type: ignore[attr-defined]
    assert "50/50" in last
    assert "4/4" in last
    assert "/?" not in last


def test_cases_are_shown_in_the_customers_zone() -> None:
    shown = Console(file=io.StringIO(), width=120)
    case = {
        "id": "C-1",
        "priority": "urgent",
        "opened_at": "2027-03-01T23:30:00Z",
        "resolved_at": None,
        "subject": "Till",
        "escalated": False,
    }
    show_cases({"account": {"time_zone": "Asia/Tokyo"}, "cases": [case]}, shown)
    said = shown.file.getvalue()  # type: ignore[attr-defined]
    assert "Cases, times in Asia/Tokyo" in said
    assert "2027-03-02 08:30" in said


def test_mails_are_shown_on_the_customers_day_and_names_are_no_markup() -> None:
    shown = Console(file=io.StringIO(), width=150)
    summary = {
        "account": {"time_zone": "Asia/Tokyo"},
        "assets_by_month": [
            {"day": "2027-03-01", "product": "[red]Till", "quantity": 3, "mrr": "30.00", "currency": "EUR"}
        ],
        "explained": [],
        "billed": [],
        "cases": [],
        "mails": [
            {
                "to": "ann@seller.example",
                "subject": "[Acme Ltd] Case C-1 is open",
                "language": "en",
                "at": "2027-03-01T23:30:00Z",
            }
        ],
        "renewals": [],
        "health": {"history": []},
        "urls": {"temporal_ui": "", "mailbox": ""},
        "steps": [],
        "seconds": 1,
    }
    show(summary, shown)
    said = shown.file.getvalue()  # type: ignore[attr-defined]
    assert "[Acme Ltd] Case C-1 is open" in said
    assert "3 [red]Till" in said
    assert "2027-03-02  ann@seller.example" in said
