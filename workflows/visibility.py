"""What operators find journeys and cases by. One registry: the server, the workers and the stack read it."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime
from typing import Any, Generic, TypeVar

from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributePair, SearchAttributeUpdate, TypedSearchAttributes

from domain.frame.keys import Word
from domain.frame.state import JourneyState
from domain.service.case_progress import CaseProgress

ACCOUNT_ID = SearchAttributeKey.for_keyword("AccountId")
ACCOUNT = SearchAttributeKey.for_keyword("Account")
OWNER = SearchAttributeKey.for_keyword("Owner")
HEALTH_BAND = SearchAttributeKey.for_keyword("HealthBand")
JOURNEY_STAGE = SearchAttributeKey.for_keyword_list("JourneyStage")
ATTENTION_REASONS = SearchAttributeKey.for_keyword_list("AttentionReasons")
NEXT_ACTION_AT = SearchAttributeKey.for_datetime("NextActionAt")
RENEWAL_AT = SearchAttributeKey.for_datetime("RenewalAt")

CASE_STATUS = SearchAttributeKey.for_keyword("CaseStatus")
CASE_PRIORITY = SearchAttributeKey.for_keyword("CasePriority")

SEARCH_ATTRIBUTES: dict[str, str] = {
    "AccountId": "Keyword",
    "Account": "Keyword",
    "Owner": "Keyword",
    "HealthBand": "Keyword",
    "CaseStatus": "Keyword",
    "CasePriority": "Keyword",
    "JourneyStage": "KeywordList",
    "AttentionReasons": "KeywordList",
    "NextActionAt": "Datetime",
    "RenewalAt": "Datetime",
}
"""Name and type of each, as the server registers them. A namespace on SQL visibility holds 3 Datetime, 3 KeywordList, 10 Keyword."""


NAMES_HIDDEN = "perennial_names_hidden"
"""The function that a worker lends its workflows where payloads are sealed."""

_State = TypeVar("_State")


def name_run(company: str | None) -> None:
    """Gives a run that was begun without a memo, from another program, the name of its account."""
    if company and "account" not in workflow.memo() and workflow.patched("account-in-memo"):
        workflow.upsert_memo({"account": company})


Wanted = dict[SearchAttributeKey[Any], Any]


class Shown(Generic[_State]):
    """Search attributes that the server has: written only where they changed, all changes in one command."""

    def __init__(self) -> None:
        self._shown: dict[str, Any] = dict.fromkeys(SEARCH_ATTRIBUTES)

    @abstractmethod
    def wanted(self, state: _State) -> Wanted:
        """What the server is to have for `state`."""

    def there_before(self, state: _State) -> Wanted:
        """What a run that goes on from `state` began with."""
        return self.wanted(state)

    def now(self, state: _State) -> Wanted:
        """What is wanted while a run goes on."""
        return self.wanted(state)

    def show(self, state: _State) -> None:
        """Brings the server's attributes to `state`."""
        wanted = self.now(state)
        updates: list[SearchAttributeUpdate[Any]] = []
        for key, value in wanted.items():
            if self._shown[key.name] != value:
                self._shown[key.name] = value
                shown = _open_to_all(key, value, wanted)
                updates.append(key.value_unset() if shown is None else key.value_set(shown))
        if updates:
            workflow.upsert_search_attributes(updates)
        name_run(wanted.get(ACCOUNT))

    def for_next_run(self, state: _State) -> TypedSearchAttributes:
        """What the next run begins with: what this one has shown so far may be older than what it did last."""
        wanted = self.wanted(state)
        shown = {key: _open_to_all(key, value, wanted) for key, value in wanted.items()}
        return TypedSearchAttributes(
            [SearchAttributePair(key, value) for key, value in shown.items() if value is not None]
        )

    def restore(self, state: _State) -> None:
        """After a rollover the run began with these: they are there already."""
        self._shown = {key.name: value for key, value in self.there_before(state).items()}


class JourneyAttributes(Shown[JourneyState]):
    """The search attributes of a journey."""

    def wanted(self, state: JourneyState) -> Wanted:
        """What operators find a journey by."""
        return _wanted(state)

    def there_before(self, state: JourneyState) -> Wanted:
        """A run begins with its first step, paused or not."""
        return _wanted(state, as_if_not_paused=True)

    def now(self, state: JourneyState) -> Wanted:
        """Runs that were paused before have the first step of the agenda there, although it waits."""
        waits = state.paused is not None and not workflow.patched("next-action-of-a-pause")
        return _wanted(state, as_if_not_paused=waits)


class CaseAttributes(Shown[CaseProgress]):
    """The search attributes of a case."""

    def wanted(self, state: CaseProgress) -> Wanted:
        """What operators find a case by."""
        view = state.view
        if view is None:
            return {}
        late = any(promise.state == "late" for promise in view.promises)
        reasons = {Word.parse(key).word for key in state.attention}
        reasons |= ({"late"} if late else set()) | ({"escalated"} if view.escalated else set())
        return {
            ACCOUNT_ID: view.account_id,
            ACCOUNT: view.company,
            OWNER: view.owner,
            CASE_STATUS: view.status.value,
            CASE_PRIORITY: view.priority.value,
            ATTENTION_REASONS: sorted(reasons) or None,
            NEXT_ACTION_AT: _seconds(view.next_at),
        }


def _wanted(state: JourneyState, *, as_if_not_paused: bool = False) -> Wanted:
    first = state.agenda[0].at if state.agenda else None
    at = first if as_if_not_paused else state.next_instant()
    reasons = {Word.parse(key).word for key in state.attention} | ({"paused"} if state.paused else set())
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


def _open_to_all(key: SearchAttributeKey[Any], value: Any, wanted: Wanted) -> Any:
    """What the server may have of an attribute, which no codec reaches: where payloads are sealed, an account's id in place of its name.
    It is written whenever the name changes, so that a run has the same commands either way."""
    hidden = key.name == ACCOUNT.name and value is not None and NAMES_HIDDEN in workflow.extern_functions()
    return wanted.get(ACCOUNT_ID) or "sealed" if hidden else value


def _seconds(at: datetime | None) -> datetime | None:
    return at.replace(microsecond=0) if at else None
