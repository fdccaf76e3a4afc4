"""What decisions about onboarding, use, offers and surveys write."""

from __future__ import annotations

from activities.frame.handlers import Handlers, Sql, Writing, inserted, on, updated
from activities.frame.telling import telling
from activities.kernel.inserts import or_update
from domain.journey.telling import health_told
from domain.success.writes import (
    AskReference,
    CompleteOnboardingTask,
    DateTask,
    DropOnboarding,
    DropTask,
    HoldTask,
    InviteToTask,
    KeepTaskWaiting,
    LetTaskGoOn,
    MakeOffer,
    NoteOutcome,
    OpenOnboardingTask,
    OpenTaskAgain,
    RecordHealth,
    RecordHealthOverride,
    RecordReferenceAnswer,
    RecordSurveyAnswer,
    SendSurvey,
    SettleOffer,
    TellHealth,
)

_TASK = "account_id stage name"
_WAITS_NO_MORE = "waits_for = null, waits_since = null, waits_why = ''"


def _noted(changes: str, kind: str, columns: str = "", values: str = "", where: str = "") -> Sql:
    """The statement that changes a task of onboarding and notes, `where` that is so, what happened to it."""
    return Sql(
        f"with task as (update onboarding_task set {changes}"
        "  where account_id = :account_id and stage = :stage and name = :name)"
        f" insert into onboarding_event (account_id, stage, name, at, kind, actor{columns})"
        f" select :account_id, :stage, :name, :at, '{kind}', :by{values} {where}".rstrip()
    )


_DONE = _noted(
    f"status = 'done', completed_at = :at, completed_by = :by, evidence = :evidence, {_WAITS_NO_MORE}",
    "done",
    ", reason",
    ", :evidence",
)
_FIRST_VALUE = Sql("update account set first_value_at = coalesce(first_value_at, :at) where account_id = :account_id")


async def _complete_tasks(place: Writing, writes: list[CompleteOnboardingTask]) -> None:
    await _DONE(place, writes)
    await _FIRST_VALUE(place, [write for write in writes if write.value])


_DATED = _noted(
    "due_on = :due_on, due_at = :due_at, turn = :turn, dated_at = :at, held_at = null",
    "moved",
    ", reason, due_on, was_due_on",
    ", :reason, :due_on::date, :was_due_on::date",
    "where :due_on::date <> :was_due_on::date",
)
_BLOCKED = _noted(
    "waits_for = :waits_for, waits_since = :at, waits_why = :reason, blocks = blocks + 1",
    "blocked",
    ", reason, waits_for",
    ", :reason, :waits_for",
)
_UNBLOCKED = _noted(_WAITS_NO_MORE, "unblocked", ", reason", ", :reason")
_REOPENED = _noted(
    "status = 'open', completed_at = null, completed_by = null, evidence = ''", "reopened", ", reason", ", :reason"
)
_NO_VALUE = Sql(
    "update account set first_value_at = (select min(completed_at) from onboarding_task t"
    "  where t.account_id = :account_id and t.name = :name and t.status = 'done') where account_id = :account_id"
)


_OVER = Sql(
    "update onboarding_task set over = true, status = case status when 'open' then 'past' else status end"
    " where account_id = :account_id and stage = :stage"
)


async def _reopen_tasks(place: Writing, writes: list[OpenTaskAgain]) -> None:
    await _REOPENED(place, writes)
    await _NO_VALUE(place, [write for write in writes if write.value])


def _health_told(place: Writing, write: RecordHealth) -> list[object]:
    before = [(one.score, one.band) for one in place.customer.health if one.at < write.at]
    return list(health_told(place.account_id, write.at, write.score, write.band, before[-1] if before else None))


_SCORE = "at score band parts profile profile_version why cause rules trend since news told_at"
_HEALTH = Sql(
    telling(
        f"insert into health_score (account_id, {', '.join(_SCORE.split())})"
        f" values (:account_id, {', '.join(f':{column}' for column in _SCORE.split())})"
        f" {or_update('account_id at', _SCORE.removeprefix('at '))}",
        ":told",
    ),
    told=_health_told,
)
_TOLD = Sql(
    "update health_score set told_at = :at where account_id = :account_id and at <= :until"
    " and news is not null and told_at is null"
)
_OFFER = "offer_id account_id asset_id add_quantity=add unit_price currency mrr_change status='open' offered_at=at expires_at"
_ANSWER = Sql(
    "update survey set score = :score, comment = :comment, answered_at = coalesce(answered_at, :at)"
    " where survey_id = :survey_id"
)

HANDLERS: Handlers = dict(
    [
        on(OpenOnboardingTask, inserted("onboarding_task", "account_id stage name title owner due_on due_at status")),
        on(CompleteOnboardingTask, _complete_tasks),
        on(NoteOutcome, updated("onboarding_task", "evidence", _TASK)),
        on(InviteToTask, updated("onboarding_task", "invited_at=at", _TASK)),
        on(HoldTask, updated("onboarding_task", "held_at=at", _TASK)),
        on(DateTask, _DATED),
        on(KeepTaskWaiting, _BLOCKED),
        on(LetTaskGoOn, _UNBLOCKED),
        on(OpenTaskAgain, _reopen_tasks),
        on(DropOnboarding, _OVER),
        on(
            DropTask,
            updated(
                "onboarding_task",
                "status='past' completed_by=by evidence=reason",
                "account_id stage name status='open'",
            ),
        ),
        on(RecordHealth, _HEALTH),
        on(TellHealth, _TOLD),
        on(RecordHealthOverride, inserted("health_override", "override_id account_id band reason by since until")),
        on(MakeOffer, inserted("offer", _OFFER)),
        on(SettleOffer, updated("offer", "status reason settled_at=at", "offer_id")),
        on(SendSurvey, inserted("survey", "survey_id account_id kind sent_at=at sent_to")),
        on(RecordSurveyAnswer, _ANSWER),
        on(AskReference, inserted("reference_ask", "reference_id account_id contact_id sent_to sent_at=at")),
        on(RecordReferenceAnswer, updated("reference_ask", "answer comment answered_at=at", "reference_id")),
    ]
)
