"""What can be asked about a customer as a whole: orders, people, mails, and what operators do with a journey."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from domain.frame.calls import RequestCall
from domain.frame.request_kinds import AGENTS, CUSTOMERS, OPERATORS, PROGRAMS, SELLERS, Asker, RequestKind
from domain.frame.situation import LEDGER, NO_HOLDINGS, SERVICE
from domain.frame.state import Step
from domain.journey import acceptance, account_changes, control, fulfilling, staff_tasks
from domain.journey.account_changes import ChangeAccount, ChangeContacts
from domain.journey.requests import (
    CloseJourney,
    ErasePerson,
    PauseJourney,
    Reconcile,
    RescheduleStep,
    ResumeJourney,
    RetryDeliveries,
    SkipStep,
)
from domain.journey.taking_over import ImportOrders, check_imported_here, read_import
from domain.journey.taking_up import TakeUpHoldings
from domain.journey.task_requests import FinishStaffTask, HandOverStaffTask, ReopenStaffTask, SnoozeStaffTask
from domain.kernel.ids import journey_id
from domain.kernel.refusals import INVALID_ORDER, Problem, Refusal
from domain.mail import correspondence, wishes
from domain.mail.correspondence import NoteMail
from domain.mail.wishes import ChooseMails
from domain.orders.fulfilments import ReportFulfilment
from domain.orders.order import Order, read_order
from domain.quotes.entries import PRESENTED, quote_kind
from domain.quotes.requests import AcceptQuote


def _own_id(call: RequestCall, key: str) -> str:
    return call.request_id


def _of_mail(request: NoteMail) -> str:
    return f"mail_{request.event.value}"


def _steps(call: RequestCall, key: str) -> Sequence[Step]:
    return call.steps


def _check_placed_here(order: Order, workflow_id: str) -> None:
    """Refuses an order of another account. It may come while a closed journey sends its last mails."""
    if workflow_id != (here := journey_id(order.account.account_id)):
        said = f"this workflow is {workflow_id!r}; send orders of this account to {here!r}"
        raise Refusal(
            INVALID_ORDER, "the order cannot be accepted", [Problem(field="account.account_id", problem=said)]
        )


_order = partial(
    RequestKind,
    asked_by=PROGRAMS,
    opens=True,
    binding=True,
    reads=read_order,
    belongs=_check_placed_here,
    id_field="order_id",
    example='{"order_id": "SO-1", "activated_at": "2026-12-01T09:00:00+01:00", "currency": "EUR", "account": {"account_id": "acme",'
    ' "name": "Acme", "country": "DE", "time_zone": "Europe/Berlin", "language": "en", "owner": {"staff_id": "s-1", "name": "Ann Lee",'
    ' "email": "ann@seller.example"}}, "contacts": [{"contact_id": "p-1", "name": "Jo Weber", "email": "jo@acme.example"}],'
    ' "products": [{"code": "CRM", "name": "CRM", "kind": "subscription"}], "contracts": [{"contract_id": "K-1",'
    ' "term": {"start": "2026-12-01", "months": 12}, "lines": [{"line_id": "1", "product": "CRM", "quantity": 25,'
    ' "unit_price": "49.00", "per": "month"}]}]}',
)

ORDERS = (
    _order(
        "place_order",
        Order,
        None,
        "Order",
        says="An order was activated. The first one begins the journey; a repeated one gets its first answer again.",
        activity="activate_order",
    ),
    _order(
        "import_order",
        Order,
        None,
        "Order of the past",
        says="An order of the past is taken over with its true dates: nothing that lies before now is acted on.",
        activity="take_over_order",
    ),
    RequestKind(
        "import_orders",
        ImportOrders,
        None,
        "Orders of the past",
        asked_by=PROGRAMS,
        internal=True,
        binding=True,
        activity="take_over_orders",
        reads=read_import,
        belongs=check_imported_here,
        example='{"orders": [{"order_id": "SO-1", "activated_at": "2020-12-01T09:00:00+01:00", "currency": "EUR", "account":'
        ' {"account_id": "acme", "name": "Acme", "country": "DE", "time_zone": "Europe/Berlin", "language": "en", "owner":'
        ' {"staff_id": "s-1", "name": "Ann Lee", "email": "ann@seller.example"}}, "contacts": [{"contact_id": "p-1", "name": "Jo Weber",'
        ' "email": "jo@acme.example"}], "products": [{"code": "INK", "name": "Ink", "kind": "goods"}],'
        ' "lines": [{"line_id": "1", "product": "INK", "quantity": 2, "unit_price": "9.00"}]}], "request_id": "import-1"}',
        opens=True,
    ),
    RequestKind(
        "report_fulfilment",
        ReportFulfilment,
        fulfilling.report,
        "Report on a delivery",
        asked_by=SELLERS | PROGRAMS,
        example='{"order_id": "SO-1", "line_id": "2", "step": "delivered", "quantity": 3, "at": "2027-03-12T09:00:00+09:00", "by": "s-2"}',
        stage="fulfilment",
        needs=LEDGER,
        beside=_own_id,
    ),
    RequestKind(
        "take_up_holdings",
        TakeUpHoldings,
        None,
        "Installed base taken over",
        asked_by=PROGRAMS,
        internal=True,
        example='{"assets": 120, "contracts": ["K-1"], "request_id": "import-1"}',
        opens=True,
    ),
)
QUOTES = (
    quote_kind(
        "accept_quote",
        AcceptQuote,
        acceptance.accept,
        "Quote accepted",
        asked_by=CUSTOMERS,
        example='{"quote_id": "Q-7", "version": 1, "by": "customer"}',
        allowed=PRESENTED,
        binding=True,
    ),
)
PEOPLE = (
    RequestKind(
        "change_account",
        ChangeAccount,
        account_changes.change_account,
        "Change of who looks after the customer, and how",
        asked_by=SELLERS,
        example='{"success_manager": "s-4", "time_zone": "Asia/Tokyo", "reason": "moved", "by": "s-1"}',
        needs=NO_HOLDINGS,
    ),
    RequestKind(
        "change_contacts",
        ChangeContacts,
        account_changes.change_contacts,
        "Change of contacts",
        asked_by=SELLERS | AGENTS,
        example='{"add": [{"contact_id": "P-3", "name": "Mia Roth", "email": "mia@acme.example", "role": "billing"}],'
        ' "change": [{"contact_id": "P-1", "role": "sponsor"}], "remove": ["P-2"], "by": "s-1"}',
        needs=NO_HOLDINGS,
    ),
    RequestKind(
        "erase_person",
        ErasePerson,
        None,
        "Erasure of a person",
        asked_by=Asker.ADMIN,
        example='{"contact_id": "P-2", "reason": "they asked for it", "by": "s-9"}',
        internal=True,
    ),
    RequestKind(
        "choose_mails",
        ChooseMails,
        wishes.choose_mails,
        "Choice of mails",
        asked_by=CUSTOMERS | AGENTS,
        example='{"contact_id": "P-1", "declined": ["offers", "surveys"], "every_days": 30}',
        needs=NO_HOLDINGS,
    ),
    RequestKind(
        "note_mail",
        NoteMail,
        correspondence.note_mail,
        "Mail of the customer",
        asked_by=PROGRAMS,
        internal=True,
        example='{"event": "bounced", "contact_id": "P-1", "email": "jo@acme.example", "template": "welcome", "by": "inbox"}',
        journal=_of_mail,
        needs=NO_HOLDINGS,
    ),
)
_of_task = partial(RequestKind, asked_by=SELLERS | AGENTS, needs=SERVICE)
TASKS = (
    _of_task(
        "finish_staff_task",
        FinishStaffTask,
        staff_tasks.finish,
        "Task of our people done",
        example='{"task_id": "0123456789abcdef", "outcome": "they train their people next week", "by": "s-2"}',
    ),
    _of_task(
        "snooze_staff_task",
        SnoozeStaffTask,
        staff_tasks.snooze,
        "Task of our people rests",
        example='{"task_id": "0123456789abcdef", "until": "2027-03-19", "reason": "they are at a fair", "by": "s-2"}',
    ),
    _of_task(
        "hand_over_staff_task",
        HandOverStaffTask,
        staff_tasks.hand_over,
        "Task of our people handed over",
        example='{"task_id": "0123456789abcdef", "to": "s-4", "reason": "she speaks Japanese", "by": "s-2"}',
    ),
    _of_task(
        "reopen_staff_task",
        ReopenStaffTask,
        staff_tasks.reopen,
        "Task of our people open again",
        example='{"task_id": "0123456789abcdef", "reason": "they have called again", "due": "2027-03-19", "by": "s-2"}',
    ),
)
LEVERS = (
    RequestKind(
        "pause",
        PauseJourney,
        control.pause,
        "Pause",
        asked_by=OPERATORS,
        example='{"reason": "a migration", "until": "2027-03-15T09:00:00+09:00", "by": "s-9"}',
        activity="pause_journey",
        allowed=control.check_pause,
        lever=True,
        needs=NO_HOLDINGS,
    ),
    RequestKind(
        "resume",
        ResumeJourney,
        control.resume,
        "Pause ends, what is overdue is looked at",
        asked_by=OPERATORS,
        example='{"by": "s-9"}',
        activity="resume_journey",
        beside=_steps,
        allowed=control.check_resume,
        lever=True,
        needs=NO_HOLDINGS,
    ),
    RequestKind(
        "retry_deliveries",
        RetryDeliveries,
        control.retry,
        "What is on its way out is tried now",
        asked_by=OPERATORS,
        example='{"by": "s-9"}',
        allowed=control.check_retry,
        lever=True,
        needs=NO_HOLDINGS,
    ),
    RequestKind(
        "skip_step",
        SkipStep,
        control.skip,
        "Step left out",
        asked_by=OPERATORS | SELLERS,
        example='{"step": "adoption/check-in-2027-03-12", "reason": "we met them yesterday", "by": "s-2"}',
        beside=_steps,
        needs=NO_HOLDINGS,
    ),
    RequestKind(
        "reschedule_step",
        RescheduleStep,
        control.reschedule,
        "Step moved",
        asked_by=OPERATORS | SELLERS,
        example='{"step": "adoption/check-in-2027-03-12", "day": "2027-03-19", "by": "s-2"}',
        beside=_steps,
        needs=NO_HOLDINGS,
    ),
    RequestKind(
        "close_journey",
        CloseJourney,
        control.close,
        "End of the journey",
        asked_by=OPERATORS,
        example='{"reason": "business given up", "by": "s-9"}',
        allowed=control.check_close,
        binding=True,
        lever=True,
    ),
    RequestKind(
        "reconcile",
        Reconcile,
        None,
        "Agenda brought to what follows from the facts",
        asked_by=OPERATORS,
        example='{"by": "s-9"}',
        opens=True,
    ),
)
