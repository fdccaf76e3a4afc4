"""The ids that a session was given by fields of ours. By others no tool acts: they may stand in what a customer wrote, and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from domain.journey.registry import BEGINNINGS
from domain.kernel.refusals import NOT_ALLOWED, Problem, Refusal
from gateway.agents.words import ids_in, texts_in

_IDLE = timedelta(hours=1)
_MOST_TEXT = 1_000_000
_REFERENCES = frozenset(
    {"into", "to_account", "account", "number", "step", "to", "owner", "success_manager", "contact", "source"}
)
"""Fields that name something, beside those that end in `_id`."""
_NO_REFERENCES = frozenset({"request_id", "message_id", "line_id", "in_reply_to"})
_MAY_BE_NEW: Mapping[str, frozenset[str]] = {
    "request_quote": frozenset({"quote_id", "contract_id", "asset_id", "to_asset_id"}),
    "accept_quote": frozenset({"order_id"}),
    "amend_assets": frozenset({"asset_id"}),
    "swap_assets": frozenset({"to_asset_id"}),
    "transfer_assets": frozenset({"to_contract_id", "to_asset_id", "contact_id"}),
    "change_contacts": frozenset({"contact_id"}),
    "open_case": frozenset({"case_id"}),
}
"""Fields by which a request may name what is not there yet."""


@dataclass
class Given:
    """What one session has seen: `ids` by our own fields, `texts` by people."""

    ids: set[str] = field(default_factory=set)
    texts: list[str] = field(default_factory=list)

    def note(self, marked: Any) -> None:
        """What a tool says from here on was said in this session."""
        self.ids.update(ids_in(marked))
        self.texts.extend(texts_in(marked))
        while sum(map(len, self.texts)) > _MOST_TEXT:
            self.texts.pop(0)

    def only_written(self, asked: str) -> bool:
        """True for an id that somebody wrote in what this session has read, and no field of ours gave."""
        if asked in self.ids:
            return False
        whole = re.compile(rf"(?<![\w@.-]){re.escape(asked)}(?![\w-]|\.\w)")
        return any(whole.search(text) for text in self.texts)

    def check_id(self, place: str, asked: str) -> None:
        """Raises `Refusal` (NotAllowed) for an id that no field of ours gave in this session."""
        if asked not in self.ids:
            raise _not_given([Problem(field=place, problem=self._said(asked))])

    def check(self, operation: str, subject_id: str, request: Mapping[str, Any]) -> None:
        """Raises `Refusal` (NotAllowed) if a request names what this session was not given by us."""
        new = _MAY_BE_NEW.get(operation, frozenset())
        problems = []
        if operation not in BEGINNINGS and subject_id not in self.ids:
            problems.append(Problem(field="of", problem=self._said(subject_id)))
        for place, name, value in _references(request):
            may_be_new = name in new or operation in ("place_order", "import_order")
            if value not in self.ids and not (may_be_new and not self.only_written(value)):
                problems.append(Problem(field=place, problem=self._said(value)))
        if problems:
            raise _not_given(problems)

    def _said(self, value: str) -> str:
        if self.only_written(value):
            return f"{value[:80]!r} stands only in what a customer wrote; a person has to look at it"
        return f"{value[:80]!r} was not given in this session; find shows customers, brief what is theirs"


def _not_given(problems: list[Problem]) -> Refusal:
    return Refusal(NOT_ALLOWED, "tools look at and act on what Perennial itself has named in this session", problems)


def _references(value: Any, place: str = "", name: str = "") -> Iterator[tuple[str, str, str]]:
    """Each text in a request that names something, with its place and its field."""
    if isinstance(value, Mapping):
        for field_name, inner in value.items():
            yield from _references(inner, f"{place}.{field_name}" if place else str(field_name), str(field_name))
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from _references(inner, f"{place}[{number}]", name)
    elif isinstance(value, str) and name not in _NO_REFERENCES and (name.endswith("_id") or name in _REFERENCES):
        yield place, name, value


class Sessions:
    """What each session was given: of a key, and of one of its sessions where the protocol has any. Forgotten after an idle hour."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], tuple[datetime, Given]] = {}

    def of(self, actor: str, session_id: str, at: datetime) -> Given:
        """That of a session, a new one if it is not known."""
        self._known = {key: (used, given) for key, (used, given) in self._known.items() if used > at - _IDLE}
        _, given = self._known.get((actor, session_id), (at, Given()))
        self._known[(actor, session_id)] = (at, given)
        return given
