"""Telephone numbers as they are dialled from anywhere, whatever way they are written."""

from __future__ import annotations

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat


def dialled(number: str, country: str | None) -> str | None:
    """`number` with its country's code: "03-1234-5678" in JP is "+81312345678". Null for what is no number there.

    Without a `country` only numbers that begin with "+" or "00" can be read. Extensions are left out: who calls is known
    by the line. Data and rules: libphonenumber.
    """
    written = "+" + number.strip()[2:] if country is None and number.strip().startswith("00") else number
    try:
        found = phonenumbers.parse(written, country)
    except NumberParseException:
        return None
    return phonenumbers.format_number(found, PhoneNumberFormat.E164) if phonenumbers.is_possible_number(found) else None
