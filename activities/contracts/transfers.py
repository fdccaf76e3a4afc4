"""Takes assets from one customer's journey to another's: asked until the other one has answered, once or not at all."""

from __future__ import annotations

from temporalio import activity
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from activities.contracts import holdings
from activities.frame import effects, outbox
from activities.frame.errors import business_errors
from activities.frame.situations import reads
from activities.frame.unit_of_work import Activities, Performer, Unit
from activities.kernel.engine import is_unknown
from activities.kernel.heartbeats import heartbeats
from domain.contracts.consignments import TransferStatus
from domain.frame.flight import Channel, DeliveryCall, DeliveryStatus
from domain.frame.keys import effect_key, settled_key
from domain.frame.situation import NOTHING
from domain.frame.state import Outcome
from domain.kernel.ids import journey_id

UPDATE = "receive_assets"
_LOST_AFTER = 8
"""A journey that cannot be found although its account is open may be between two lives; after so many attempts it is gone."""


class Conveyor(Activities):
    """Asks the target of a transfer to take the assets, and tells the source what came of it."""

    def __init__(self, performer: Performer, temporal: Client) -> None:
        super().__init__(performer)
        self._temporal = temporal

    @activity.defn(name=Channel.CONVEYANCE.value)
    async def convey_assets(self, call: DeliveryCall) -> Outcome:
        """The target's answer, for good: it has the assets, or it will never have them."""
        delivery_id = effect_key(call.account_id, call.delivery_id)
        async with business_errors(), self._performer.transaction() as connection:
            if done := await effects.find_effect(connection, settled_key(delivery_id)):
                return done.outcome
            row = await outbox.find_outbox(connection, delivery_id)
            if row is None:
                raise ApplicationError(f"no message {delivery_id}", type="UnknownDelivery", non_retryable=True)
            if await outbox.settled_before(connection, row):
                return Outcome()
            transfer_id = str(row.body["transfer_id"])
            account = str(row.body["to_account"])
            answered = await holdings.is_answered(connection, transfer_id)
        refused = None
        if not answered:
            async with heartbeats():
                refused = await self._refused(transfer_id, account)
        return await self._settle(call, delivery_id, row.stage, transfer_id, refused)

    async def _refused(self, transfer_id: str, account: str) -> str | None:
        """Null once the target has taken the assets; why it never will, otherwise. Whatever else happens is tried again."""
        info = activity.info()
        request = {"transfer_id": transfer_id, "request_id": transfer_id, "by": "transfer"}
        try:
            # Each attempt has an id of its own: the request's id makes it happen once, and yesterday's failure is no answer.
            await self._temporal.get_workflow_handle(journey_id(account)).execute_update(
                UPDATE, request, id=f"{transfer_id}-{info.workflow_run_id}-{info.activity_id}-{info.attempt}"
            )
        except WorkflowUpdateFailedError as failed:
            cause = failed.cause
            if not isinstance(cause, ApplicationError) or cause.type == "StepFailed":
                raise ApplicationError(str(cause), type="TransferFailed", non_retryable=True) from failed
            return f"{cause.type}: {cause.message}"
        except RPCError as error:
            if not is_unknown(error) or not await self._is_gone(account, info.attempt):
                raise
            return f"account {account} has no open journey"
        return None

    async def _is_gone(self, account: str, attempt: int) -> bool:
        async with business_errors(), self._performer.transaction() as connection:
            receiver = await holdings.find_receiver(connection, account, [])
        return receiver is None or receiver.closed or attempt >= _LOST_AFTER

    async def _settle(
        self, call: DeliveryCall, delivery_id: str, stage: str, transfer_id: str, refused: str | None
    ) -> Outcome:
        """The transfer's end on record; what it means for the source is the journey's next step, with its own clock."""
        unit = Unit(call.account_id, settled_key(delivery_id), call.as_of, stage, "conveyed")
        async with business_errors(), self._performer.begin(unit, reads(NOTHING)) as work:
            if work.before is not None:
                return work.before
            connection, situation = work.connection, await work.load_first()
            status = await holdings.refuse_transfer(connection, transfer_id, refused, call.as_of) if refused else None
            said = DeliveryStatus.REJECTED if status == TransferStatus.REFUSED else DeliveryStatus.SENT
            await outbox.settle_outbox(connection, delivery_id, said, call.as_of, reason=refused)
            step = situation.step_now("amendment_settled", stage, transfer_id)
            return await work.record(Outcome(plan=[step]))
