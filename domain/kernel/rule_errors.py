"""What a rule says that forbids something: an error with a code for programs and a sentence for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class RuleError(ValueError):
    """A rule refuses its input; nothing has changed. `code` is stable: tables, updates and answers carry it.

    `refused_as`: the type of the refusal, if that is not the code in its spelling. `wrong_fact`: no request is wrong, but what
    is on record.
    """

    code: ClassVar[str] = "invalid_value"
    refused_as: ClassVar[str] = ""
    wrong_fact: ClassVar[bool] = False

    @property
    def wrong(self) -> Mapping[str, str]:
        """What would be right, by the field that is wrong; empty if the sentence says it all."""
        return {}
