"""A choice is read as it was written; whatever is no choice is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.frame.renewal_facts import ChurnReason
from domain.mail.choices import PageChoice, Pick

_UNITS = st.dictionaries(st.from_regex(r"[A-Za-z0-9_.-]{1,64}", fullmatch=True), st.integers(0, 10_000_000), max_size=5)
_CHOICES = st.one_of(
    st.builds(PageChoice, pick=st.just(Pick.SCORE), score=st.integers(0, 99)),
    st.builds(PageChoice, pick=st.sampled_from([Pick.YES, Pick.NO, Pick.ACCEPT, Pick.DECLINE])),
    st.builds(PageChoice, pick=st.just(Pick.ACCEPT), version=st.integers(1, 99)),
    st.builds(PageChoice, pick=st.just(Pick.DECLINE), why=st.sampled_from(ChurnReason)),
    st.builds(
        PageChoice, pick=st.just(Pick.REVISE), units=_UNITS, months=st.one_of(st.none(), st.integers(1, 240))
    ).filter(lambda choice: bool(choice.units) or choice.months is not None),
)


@given(_CHOICES)
def test_a_choice_is_read_as_it_was_written(choice: PageChoice) -> None:
    assert PageChoice.read(choice.written) == choice


@pytest.mark.parametrize(
    "written",
    [
        "",
        "９",
        "-1",
        "100",
        "accept 0",
        "accept two",
        "accept 1 2",
        "yes please",
        "decline money",
        "revise",
        "revise months=0",
        "revise months=241",
        "revise #A=-1",
        "revise #A=10000001",
        "revise A=3",
        "revise #A=3 nonsense",
        "revise #A B=3",
        "take 1",
    ],
)
def test_anything_else_is_none(written: str) -> None:
    assert PageChoice.read(written) is None
