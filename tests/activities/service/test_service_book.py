"""The service book on file: what comes along can be used, and what is wrong in a file is named."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from activities.service_policies import FOLDER, ServiceBookError, read_service_book
from domain.kernel.business_clock import clock_of


def copied(tmp_path: Path) -> Path:
    folder = tmp_path / "book"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return folder


def test_the_book_that_comes_along() -> None:
    book = read_service_book()
    assert {policy.id for policy in book.policies.policies} == {"standard", "enterprise"}
    tokyo = clock_of(book.calendars["office-jp"])
    holiday, morning = (datetime(2026, 11, day, 1, 0, tzinfo=UTC) for day in (23, 24))
    assert tokyo.next_open(holiday) == morning.replace(hour=0)
    assert tokyo.next_open(morning) == morning
    assert book.desk.calendar_for(book.policies.policies[1], "JP") == "office-jp"
    assert book.desk.calendar_for(book.policies.policies[1], "AQ") == "office"
    assert book.desk.calendar_for(book.policies.policies[0], "JP") == "always"


@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        ("standard.yaml", "is_default: true", "is_default: false", "0 default policies"),
        ("standard.yaml", "calendar_id: local", "calendar_id: nowhere", "no calendar 'nowhere'"),
        ("standard.yaml", "first_response: ", "first_response: [", "standard.yaml"),
        ("standard.yaml", "high: PT18H", "high: PT1H", "promise the response no later than the resolution"),
        ("standard.yaml", "recipients: [customer]", "recipients: [boss]", "is for ['boss']; use one of"),
        ("standard.yaml", "does: field_change", "does: call_out", "use a mail or a task"),
        ("office-jp.yaml", "Asia/Tokyo", "Asia/Tokio", "Asia/Tokio"),
        ("office-jp.yaml", "country: JP", "country: XX", "no public holidays are known for 'XX'"),
        ("office.yaml", '["09:00", "18:00"]', '["18:00", "09:00"]', "end before they start"),
        ("desk.yaml", "default: office}", "default: bureau}", "no calendar 'bureau'"),
        ("desk.yaml", "desk:", "table:", "desk.yaml: give one entry"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, name: str, old: str, new: str, says: str) -> None:
    folder = copied(tmp_path)
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text or name == "standard.yaml"
    path.write_text(text.replace(old, new) if old in text else f"{text}\n  - [", encoding="utf-8")
    with pytest.raises(ServiceBookError) as error:
        read_service_book(folder)
    assert says in str(error.value)
