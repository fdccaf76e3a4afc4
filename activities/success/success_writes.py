"""What decisions about onboarding, use, offers and surveys write."""

from __future__ import annotations

from activities.frame.handlers import Handlers, Sql, Writing, inserted, on, updated
from activities.frame.telling import telling
from activities.kernel.inserts import or_update
from domain.journey.telling import health_told
from domain.success.writes import (
    CompleteOnboardingTask,
    DropOnboarding,
    DropTask,
    MakeOffer,
    OpenOnboardingTask,
    RecordHealth,
    RecordHealthOverride,
    RecordPayment,
    RecordSurveyAnswer,
    SendSurvey,
    SettleOffer,
    TellHealth,
)

_DONE = updated("onboarding_task", "status='done' completed_at=at completed_by=by evidence", "account_id stage name")
_FIRST_VALUE = Sql("update account set first_value_at = coalesce(first_value_at, :at) where account_id = :account_id")


async def _complete_tasks(place: Writing, writes: list[CompleteOnboardingTask]) -> None:
    await _DONE(place, writes)
    await _FIRST_VALUE(place, [write for write in writes if write.value])


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
_PAID = "status day at by"
_OFFER = "offer_id account_id asset_id add_quantity=add unit_price currency mrr_change status='open' offered_at=at expires_at"
_ANSWER = Sql(
    "update survey set score = :score, comment = :comment, answered_at = coalesce(answered_at, :at)"
    " where survey_id = :survey_id"
)

HANDLERS: Handlers = dict(
    [
        on(OpenOnboardingTask, inserted("onboarding_task", "account_id stage name title owner due_on due_at status")),
        on(CompleteOnboardingTask, _complete_tasks),
        on(DropOnboarding, updated("onboarding_task", "status='past'", "account_id stage status='open'")),
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
        on(
            RecordPayment, inserted("invoice_payment", f"invoice_id account_id {_PAID}", or_update("invoice_id", _PAID))
        ),
        on(MakeOffer, inserted("offer", _OFFER)),
        on(SettleOffer, updated("offer", "status reason settled_at=at", "offer_id")),
        on(SendSurvey, inserted("survey", "survey_id account_id kind sent_at=at sent_to")),
        on(RecordSurveyAnswer, _ANSWER),
    ]
)
