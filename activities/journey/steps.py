"""The steps of a journey, one activity per kind: each loads the facts, decides by a pure rule, and writes all of it in one transaction."""

from __future__ import annotations

from collections.abc import Callable

from temporalio import activity

from activities.frame.unit_of_work import Activities
from domain.contracts import renewal, renewal_notices, renewal_talk
from domain.contracts.waiting import unless_locked
from domain.frame.calls import StepCall
from domain.frame.decision import Decision
from domain.frame.situation import LEDGER, LOOKS, Situation
from domain.frame.state import Outcome, Step
from domain.success import adoption, expansion, onboarding, reorder, thanks

Rule = Callable[[Situation, Step], Decision]


class JourneySteps(Activities):
    """What a journey does by itself when an instant of its agenda comes."""

    @activity.defn
    async def onboarding_mail(self, call: StepCall) -> Outcome:
        """A task of ours that is done by a mail, such as the welcome."""
        return await self._performer.step(call, onboarding.mail, paced=True)

    @activity.defn
    async def onboarding_provisioning(self, call: StepCall) -> Outcome:
        """What was sold is asked of the provisioning service."""
        return await self._performer.step(call, onboarding.provisioning)

    @activity.defn
    async def onboarding_provisioned(self, call: StepCall) -> Outcome:
        """The provisioning service has provided everything."""
        return await self._performer.step(call, lambda situation, step: onboarding.provisioned(situation, step.stage))

    @activity.defn
    async def onboarding_invite(self, call: StepCall) -> Outcome:
        """The customer is invited to a task."""
        return await self._performer.step(call, onboarding.invite, paced=True)

    @activity.defn
    async def onboarding_reminder(self, call: StepCall) -> Outcome:
        """Whoever has to do a task is reminded."""
        return await self._performer.step(call, onboarding.remind, paced=True)

    @activity.defn
    async def onboarding_escalation(self, call: StepCall) -> Outcome:
        """A late task goes to the owner."""
        return await self._performer.step(call, onboarding.escalate)

    @activity.defn
    async def onboarding_touch(self, call: StepCall) -> Outcome:
        """A short mail on a fixed day."""
        return await self._performer.step(call, onboarding.touch, paced=True)

    @activity.defn
    async def relationship_anniversary(self, call: StepCall) -> Outcome:
        """A year with us."""
        return await self._performer.step(call, thanks.anniversary)

    @activity.defn
    async def adoption_check_in(self, call: StepCall) -> Outcome:
        """The regular look at use and health."""
        return await self._performer.step(call, adoption.check_in, LOOKS, paced=True)

    @activity.defn
    async def adoption_mail(self, call: StepCall) -> Outcome:
        """What was decided at a time at which nobody is to be written to."""
        return await self._performer.step(call, adoption.mail, paced=True)

    @activity.defn
    async def adoption_usage_review(self, call: StepCall) -> Outcome:
        """A look because usage crossed a threshold."""
        # The same report may come again: only a retry of this very call gets its outcome, a repetition changes nothing.
        info = activity.info()
        return await self._performer.step(
            call, adoption.review, paced=True, run=f"{info.workflow_run_id}/{info.activity_id}"
        )

    @activity.defn
    async def adoption_follow_up(self, call: StepCall) -> Outcome:
        """A look whether help has helped."""
        return await self._performer.step(call, adoption.follow_up, LOOKS, paced=True)

    @activity.defn
    async def adoption_survey(self, call: StepCall) -> Outcome:
        """The customer is asked for a score."""
        return await self._performer.step(call, adoption.survey, paced=True)

    @activity.defn
    async def expansion_expiry(self, call: StepCall) -> Outcome:
        """An unanswered offer lapses."""
        return await self._performer.step(call, expansion.expire)

    @activity.defn
    async def renewal_notice(self, call: StepCall) -> Outcome:
        """The customer hears that the term ends, with or without the quote."""
        return await self._performer.step(call, unless_locked(renewal_notices.notice), LEDGER)

    @activity.defn
    async def renewal_quote(self, call: StepCall) -> Outcome:
        """The quote that was withheld from a notice."""
        return await self._performer.step(call, unless_locked(renewal_talk.quote), LEDGER)

    @activity.defn
    async def renewal_term_end(self, call: StepCall) -> Outcome:
        """A term ends: the next one, grace, or the end."""
        return await self._performer.step(call, unless_locked(renewal.term_end), LEDGER)

    @activity.defn
    async def renewal_grace_end(self, call: StepCall) -> Outcome:
        """Grace is over."""
        return await self._performer.step(call, renewal.grace_end)

    @activity.defn
    async def reorder_check_in(self, call: StepCall) -> Outcome:
        """A customer's own order rhythm has passed."""
        return await self._performer.step(call, reorder.check_in, paced=True)

    @activity.defn
    async def reorder_lapse(self, call: StepCall) -> Outcome:
        """A customer seems to have left."""
        return await self._performer.step(call, reorder.lapse)
