"""Files of certificates: what nobody signed in them is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from activities.kernel.clock import present
from domain.journey.erasures import Certificate, ErasedRun
from domain.mail.signing import Key
from workers.cli.common import UserError
from workers.cli.erasing import _read

KEY = Key(1, b"k" * 32)


def test_words_added_to_a_certificate_are_not_passed_over(tmp_path: Path) -> None:
    runs = [ErasedRun(workflow_id="journey-A", run_id="r", events=3)]
    signed = Certificate(
        erasure_id="E", account_id="A", at=present(), by="S-9", over_at=present(), cells={"a.b": 1}, runs=runs, key=1
    ).signed(KEY)
    file = tmp_path / "E.json"
    document = signed.model_dump(mode="json")
    file.write_text(json.dumps(document))
    assert _read(file).is_true({1: KEY})
    document["backups"] = "gone as well"
    document["runs"][0]["where"] = "everywhere"
    file.write_text(json.dumps(document))
    with pytest.raises(UserError, match=r"says what nobody signed.*: backups, runs\.where"):
        _read(file)
