"""Whom we ask to decide on what goes beyond whoever asked for it: the owner's manager."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain.frame.customer import Customer
from domain.frame.decision import Notice


def approval_notice(
    customer: Customer, asked_by: str, title: str, lines: Sequence[str], due: datetime, act: str
) -> Notice:
    """What whoever decides reads; an owner whose manager nobody has put on record is told to pass it on. `act`: by what they
    decide, see `notice_acts.py`."""
    nobody = f"Nobody is on record as the manager of {customer.owner.name}: please pass it on to whoever may decide."
    passed_on = [nobody] if customer.manager is None else []
    return Notice(title, [*lines, *passed_on], due=due, acts=(act,), person=customer.approver(asked_by))
