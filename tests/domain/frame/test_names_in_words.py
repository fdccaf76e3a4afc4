"""Names of ours never reach a person: every template, role, state and step has words, in both languages where our people read them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import activities.channels
from activities.channels.staff_words import StaffWords, sentences
from domain.frame.case_words import CaseState, state_in_words
from domain.frame.mail_names import MAILS, ROLES, contact_in_words, mail_in_words, role_in_words
from domain.frame.step_words import STEPS
from domain.orders.order import ContactRole

TEMPLATES = Path(activities.channels.__file__).parent / "templates" / "en"
CUSTOMERS = sorted(
    {path.stem for path in TEMPLATES.glob("*.j2")} - {"frame", "in_use", "notice", "document", "proposal", "sheet"}
)
JAPANESE = StaffWords(sentences("ja"), {})
OURS = re.compile(r"[a-z]_[a-z]|\b[A-Z]{1,3}-\d|['\"`]")


@pytest.mark.parametrize("template", CUSTOMERS)
def test_every_mail_has_words_in_both_languages(template: str) -> None:
    words = MAILS[template]
    assert not re.search(r"_|^the |[A-Z]", words)
    said = JAPANESE.said(words)
    assert said
    assert not re.search(r"[a-z]", said)


def test_there_are_words_for_nothing_else() -> None:
    assert sorted(MAILS) == CUSTOMERS
    assert mail_in_words("of_before") == "of before"


def test_every_role_and_state_has_words_in_both_languages() -> None:
    assert set(ROLES) == set(ContactRole)
    for role in (*ContactRole, None):
        assert "_" not in role_in_words(role)
        said = JAPANESE.said(f"Jo Weber ({role_in_words(role)})")
        assert said
        assert said.startswith("Jo Weber様（")
    for state in CaseState:
        words = state_in_words(state)
        assert "_" not in words
        assert JAPANESE.said(words)
    assert contact_in_words(None) == "somebody at the customer"
    assert not [words for words in STEPS.values() if "_" in words]


@pytest.mark.parametrize("template", CUSTOMERS)
def test_what_is_said_of_a_mail_names_it_and_its_reader(template: str) -> None:
    mail = mail_in_words(template)
    for said in (
        f"Jo Weber (billing contact) answered the {mail}",
        f"The {mail} to Jo Weber (main contact) came back",
        f"The {mail} to Jo Weber (sponsor) was refused for good",
        f"The {mail} could not go out: no contact has a working address.",
    ):
        assert not OURS.search(said.replace("contract's", "").replace("contact's", ""))
        japanese = JAPANESE.said(said)
        assert japanese
        assert not re.search(r"\b[a-z]{3,}\b", japanese)
