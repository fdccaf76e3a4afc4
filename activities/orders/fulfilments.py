"""What is reported of an order's lines, and the look whether they came in time."""

from __future__ import annotations

from temporalio import activity

from activities.frame.carrying_out import Performer, business_errors, effect_key, load_situation
from activities.orders import fulfilment_rows as store
from domain.frame.state import Outcome, RequestCall, StepCall
from domain.journey import fulfilling
from domain.kernel.fingerprints import asked_by
from domain.kernel.refusals import NOT_ALLOWED, Refusal
from domain.kernel.requests import read_request
from domain.orders.fulfilments import ReportFulfilment


class Fulfilments:
    """Order lines on their way to the customer."""

    def __init__(self, performer: Performer) -> None:
        self._performer = performer

    @activity.defn
    async def report_fulfilment(self, call: RequestCall) -> Outcome:
        """Units of an order line were ordered, shipped, delivered, installed or returned."""
        key = effect_key(call.account_id, f"report_fulfilment:{call.request_id}")
        run = call.run if not call.repeated else "again"
        async with business_errors():
            request = read_request(ReportFulfilment, call.body)
            asked = asked_by(request, call.request_id)
            async with self._performer.holding(key, call.account_id, asked=asked) as (connection, done):
                if done:
                    return done.outcome if done.run == run else done.outcome.again()
                situation = await load_situation(connection, call.account_id, call.as_of, ledger=True)
                line = await store.load_line(connection, call.account_id, request.order_id, request.line_id)
                if line is None:
                    named = f"{request.order_id}.{request.line_id}"
                    raise Refusal(NOT_ALLOWED, f"order line {named!r} is not this customer's")
                decision = fulfilling.report(situation, line, request, call.request_id)
                return await self._performer.carry_out(
                    connection,
                    situation,
                    decision,
                    key,
                    stage="fulfilment",
                    kind="report_fulfilment",
                    run=run,
                    actor=request.by,
                    asked=asked,
                )

    @activity.defn
    async def fulfilment_follow_up(self, call: StepCall) -> Outcome:
        """The customer is asked whether everything has arrived."""
        step = call.step
        async with business_errors():
            return await self._performer.once(
                call.account_id,
                effect_key(call.account_id, step.key),
                call.as_of,
                lambda situation: fulfilling.follow_up(situation, step),
                stage=step.stage,
                kind=step.kind,
                paced=step,
                kept=call.kept,
                near=call.near,
            )

    @activity.defn
    async def fulfilment_late(self, call: StepCall) -> Outcome:
        """Whether what was promised has come."""
        step = call.step
        key = effect_key(call.account_id, step.key)
        async with business_errors(), self._performer.holding(key, call.account_id) as (connection, done):
            if done:
                return done.outcome
            situation = await load_situation(connection, call.account_id, call.as_of)
            order_id = step.stage.split(":", 1)[1]
            line_id = step.name.removeprefix("late-")[: -len("-2027-03-01")]
            line = await store.load_line(connection, call.account_id, order_id, line_id)
            decision = fulfilling.late(situation, line, step)
            return await self._performer.carry_out(
                connection, situation, decision, key, stage=step.stage, kind=step.kind
            )
