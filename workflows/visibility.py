"""What operators find journeys and cases by. One registry: the server, the workers and the stack read it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributeUpdate

from domain.journey import JourneyState

ACCOUNT_ID = SearchAttributeKey.for_keyword("AccountId")
ACCOUNT = SearchAttributeKey.for_keyword("Account")
OWNER = SearchAttributeKey.for_keyword("Owner")
HEALTH_BAND = SearchAttributeKey.for_keyword("HealthBand")
JOURNEY_STAGE = SearchAttributeKey.for_keyword_list("JourneyStage")
ATTENTION_REASONS = SearchAttributeKey.for_keyword_list("AttentionReasons")
NEXT_ACTION_AT = SearchAttributeKey.for_datetime("NextActionAt")
RENEWAL_AT = SearchAttributeKey.for_datetime("RenewalAt")

SEARCH_ATTRIBUTES: dict[str, str] = {
    "AccountId": "Keyword",
    "Account": "Keyword",
    "Owner": "Keyword",
    "HealthBand": "Keyword",
    "JourneyStage": "KeywordList",
    "AttentionReasons": "KeywordList",
    "NextActionAt": "Datetime",
    "RenewalAt": "Datetime",
}
"""Name and type of each, as the server registers them. A namespace on SQL visibility holds 3 Datetime, 3 KeywordList, 10 Keyword."""


class SearchAttributes:
    """The search attributes of a journey: written only where they changed, all changes in one command."""

    def __init__(self) -> None:
        self._shown: dict[str, Any] = dict.fromkeys(SEARCH_ATTRIBUTES)

    def show(self, state: JourneyState) -> None:
        """Brings the server's attributes to `state`."""
        wanted = _wanted(state)
        updates: list[SearchAttributeUpdate[Any]] = []
        for key, value in wanted.items():
            if self._shown[key.name] != value:
                self._shown[key.name] = value
                updates.append(key.value_unset() if value is None else key.value_set(value))
        if updates:
            workflow.upsert_search_attributes(updates)

    def restore(self, state: JourneyState) -> None:
        """After a rollover the server keeps the attributes: what `state` says is there already."""
        self._shown = {key.name: value for key, value in _wanted(state).items()}


def _wanted(state: JourneyState) -> dict[SearchAttributeKey[Any], Any]:
    at = state.agenda[0].at if state.agenda else None
    reasons = {key.split(":", 1)[0] for key in state.attention} | ({"paused"} if state.paused else set())
    return {
        ACCOUNT_ID: state.account_id,
        ACCOUNT: state.account.name if state.account else None,
        OWNER: state.account.owner if state.account else None,
        HEALTH_BAND: state.health.band if state.health else None,
        JOURNEY_STAGE: state.open_kinds() or None,
        ATTENTION_REASONS: sorted(reasons) or None,
        NEXT_ACTION_AT: _seconds(at),
        RENEWAL_AT: _seconds(state.next_renewal()),
    }


def _seconds(at: datetime | None) -> datetime | None:
    return at.replace(microsecond=0) if at else None
