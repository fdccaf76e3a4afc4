"""The steps of a journey by their kinds: each loads the facts, decides by a pure rule, and writes all of it in one transaction."""

from __future__ import annotations

from activities.contracts.term_value import term_value
from activities.frame.unit_of_work import Activities, StepKind
from activities.success import health_keeping
from domain.billing import steps as billing
from domain.contracts import parting, renewal, renewal_notices, renewal_talk
from domain.contracts.waiting import unless_locked
from domain.frame.situation import LOOKS, NO_HOLDINGS, OWN_CONTRACT
from domain.success import adoption, asking, expansion, health_plays, onboarding, onboarding_waiting, reorder, thanks


class JourneySteps(Activities):
    """What a journey does by itself when an instant of its agenda comes."""

    steps = {
        "onboarding_mail": StepKind(onboarding.mail, NO_HOLDINGS, paced=True),
        "onboarding_provisioning": StepKind(onboarding.provisioning),
        "onboarding_provisioned": StepKind(onboarding.provisioned),
        "onboarding_invite": StepKind(onboarding.invite, NO_HOLDINGS, paced=True),
        "onboarding_reminder": StepKind(onboarding.remind, NO_HOLDINGS, paced=True),
        "onboarding_overdue": StepKind(onboarding.remind, NO_HOLDINGS, paced=True),
        "onboarding_escalation": StepKind(onboarding.escalate, NO_HOLDINGS),
        "onboarding_blocked": StepKind(onboarding_waiting.blocked, NO_HOLDINGS),
        "onboarding_touch": StepKind(onboarding.touch, paced=True),
        "relationship_anniversary": StepKind(thanks.anniversary, LOOKS),
        "relationship_health": StepKind(health_plays.hear, NO_HOLDINGS, look=health_keeping.untold),
        "adoption_check_in": StepKind(adoption.check_in, LOOKS, look=health_keeping.health_of, paced=True),
        "adoption_mail": StepKind(adoption.mail, LOOKS, paced=True),
        "adoption_usage_review": StepKind(
            adoption.review, LOOKS, look=health_keeping.health_of, paced=True, each_time=True
        ),
        "adoption_follow_up": StepKind(adoption.follow_up, LOOKS, look=health_keeping.health_of, paced=True),
        "adoption_survey": StepKind(asking.survey, LOOKS, paced=True),
        "expansion_expiry": StepKind(expansion.expire, NO_HOLDINGS),
        "renewal_notice": StepKind(unless_locked(renewal_notices.notice), OWN_CONTRACT, look=term_value),
        "renewal_quote": StepKind(unless_locked(renewal_talk.quote), OWN_CONTRACT),
        "renewal_term_end": StepKind(unless_locked(renewal.term_end), OWN_CONTRACT),
        "renewal_grace_end": StepKind(renewal.grace_end),
        "relationship_win_back": StepKind(parting.win_back, paced=True),
        "reorder_check_in": StepKind(reorder.check_in, look=health_keeping.health_of, paced=True),
        "reorder_lapse": StepKind(reorder.lapse, NO_HOLDINGS, look=health_keeping.health_of),
        "billing_invoice": StepKind(billing.invoice, OWN_CONTRACT),
    }
