"""Other terms for the next term: the customer wants fewer or more units or another length, or sales gives another price.

Each becomes a version of the renewal's quote. What the role of whoever gives it may not give waits for an approval; all else is
with the customer at once, who renews by a yes.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from domain.contracts.ending import nothing_left
from domain.contracts.renewal import as_planned, grace_end_step, grace_mail
from domain.contracts.renewal_notices import notice_days, notice_step
from domain.contracts.renewal_quote import (
    assets_of_next_term,
    last_day,
    next_term,
    notice_by,
    notice_context,
    quote_renewal,
)
from domain.contracts.renewal_requests import ApproveRenewal, ReviseRenewal
from domain.contracts.renewal_status import RenewalStatus
from domain.contracts.writes import QuoteRenewal, SaveRenewalVersion, SettleRenewalVersion
from domain.frame.approvals import approval_notice
from domain.frame.customer import ContractFacts, ContractStatus
from domain.frame.decision import CloseStaffTasks, Decision, JournalLine, Mail, Notice, OpenStaffTask
from domain.frame.notice_acts import act
from domain.frame.renewal_facts import RenewalVersion, VersionState
from domain.frame.situation import Situation
from domain.frame.staff_tasks import TaskState
from domain.frame.state import Outcome, Stage
from domain.frame.step_words import plain
from domain.holds.guard import guard_of
from domain.kernel.base import Write
from domain.kernel.money import Money, half_up, money
from domain.kernel.refusals import INVALID_REQUEST, NOT_ALLOWED, Problem, Refusal
from domain.kernel.shown import counted

APPROVAL_TASK = "renewal/approval"
_SAYS = "the renewal cannot be offered so"


def contract_of(situation: Situation, contract_id: str) -> ContractFacts:
    """The contract whose renewal is talked about. Raises `Refusal` (NotAllowed) if nothing of it is to be renewed."""
    contract = situation.customer.contract(contract_id)
    if contract is None:
        known = ", ".join(c.contract_id for c in situation.customer.contracts) or "none"
        raise Refusal(NOT_ALLOWED, f"contract {contract_id!r} is not this customer's; their contracts: {known}")
    declined = contract.status == ContractStatus.DECLINED and situation.as_of < contract.term.ends_at
    if contract.status not in (ContractStatus.ACTIVE, ContractStatus.GRACE) and not declined:
        raise Refusal(NOT_ALLOWED, f"contract {contract.contract_id} is {contract.status}; an order begins anew")
    if contract.term.starts_at > situation.as_of and contract.term.number > 1:
        raise Refusal(
            NOT_ALLOWED, f"contract {contract.contract_id} is renewed already, until {last_day(contract.term)}"
        )
    if nothing_left(situation, contract):
        raise Refusal(NOT_ALLOWED, f"nothing of contract {contract.contract_id} is left to renew; add units first")
    if held := guard_of(situation).renewal_held(contract.term.ends_at):
        raise Refusal(NOT_ALLOWED, f"the quote for {contract.contract_id} is held back: {held.says}")
    return contract


def revise(situation: Situation, request: ReviseRenewal) -> Decision:
    """A version of the quote: offered, or waiting for whoever may give what it gives."""
    contract = contract_of(situation, request.contract_id)
    before = contract.waiting or contract.offered or RenewalVersion(version=1)
    made = _version(situation, contract, request, before)
    if _terms_of(made) == _terms_of(before):
        raise Refusal(NOT_ALLOWED, f"that is what version {before.version} of the renewal says already")
    made = made.having(version=contract.versions + 1, asked_by=request.by)
    asked = f"Asked by {situation.named(request.by)}."
    waits = before.state is VersionState.WAITING and request.role is None  # for whoever was asked before
    role = made.role if waits else _approver(situation, contract, made)
    if role is None:
        most = ", ".join(f"{one.role} {one.percent:f} percent" for one in situation.playbook.quoting.limits) or "none"
        given = _percent(made.off(contract.uplift_percent))
        raise Refusal(NOT_ALLOWED, f"no role may give {given} of this renewal; the limits: {most}")
    if waits or (role != made.role and made.off(contract.uplift_percent) > 0):
        asking = approval_of(situation, contract, made, asked)
        if asking is not None:
            return asking
    made = made.having(state=VersionState.OFFERED)
    saved = SaveRenewalVersion(contract.contract_id, contract.term.number + 1, made, request.reason, situation.as_of)
    says = f"Renewal of {contract.contract_id} offered anew: version {made.version}"
    on_its_way = "The quote is on its way; the customer's answer renews the contract."
    notice = Notice(says, [*_lines(situation, contract, made), on_its_way], to="owner")
    return _offered(situation, contract, made, says, [saved], [notice])


def _version(
    situation: Situation, contract: ContractFacts, request: ReviseRenewal, before: RenewalVersion
) -> RenewalVersion:
    """What a request makes of the version before. Raises `Refusal`."""
    made = before
    if request.months is not None:
        made = made.having(months=_length(situation, contract, request.months))
    units = _units(situation, contract, request)
    if units:
        made = made.having(quantities={**made.quantities, **units})
        _check_units(situation, contract, request, made.quantities)
    if request.discount_percent is not None:
        made = made.having(discount_percent=request.discount_percent)
    if request.uplift_percent is not None:
        if request.uplift_percent > contract.uplift_percent:
            said = f"the contract raises its prices by {contract.uplift_percent:f} percent at most; give that or less"
            raise Refusal(INVALID_REQUEST, _SAYS, [Problem(field="uplift_percent", problem=said)])
        made = made.having(uplift_percent=request.uplift_percent)
    return made.having(role=request.role or before.role)


def _terms_of(version: RenewalVersion) -> RenewalVersion:
    return version.having(version=0, state=VersionState.OFFERED, role=None, asked_by="")


def _length(situation: Situation, contract: ContractFacts, months: int) -> int:
    offered = sorted({*situation.playbook.renewal.terms, contract.renewal_months})
    if months not in offered:
        said = f"{months} months are not offered; choose {' or '.join(map(str, offered))}"
        raise Refusal(INVALID_REQUEST, _SAYS, [Problem(field="months", problem=said)])
    return months


def _units(situation: Situation, contract: ContractFacts, request: ReviseRenewal) -> dict[str, int]:
    """The units that are asked for, by asset. Raises `Refusal` for what the next term does not have."""
    plain_terms = contract.having(offered=None)
    renewed = {asset.asset_id: asset for asset, _ in assets_of_next_term(situation, plain_terms)}
    if request.seats is not None:
        if len(renewed) != 1:
            said = f"contract {contract.contract_id} renews {len(renewed)} assets; say by `assets` which has how many"
            raise Refusal(INVALID_REQUEST, _SAYS, [Problem(field="seats", problem=said)])
        return {next(iter(renewed)): request.seats}
    parents = {record.asset.parent_id for record in situation.records.values()}
    problems = []
    for n, line in enumerate(request.assets):
        field = f"assets[{n}].asset_id"
        if line.asset_id not in renewed:
            known = ", ".join(renewed) or "none"
            said = f"{line.asset_id!r} is not renewed with contract {contract.contract_id}; what is: {known}"
            problems.append(Problem(field=field, problem=said))
        elif line.asset_id in parents or situation.records[line.asset_id].asset.parent_id is not None:
            said = f"{line.asset_id!r} belongs to a bundle; a quote (`request_quote`) changes all of it"
            problems.append(Problem(field=field, problem=said))
    if problems:
        raise Refusal(INVALID_REQUEST, _SAYS, problems)
    return {line.asset_id: line.quantity for line in request.assets}


def _check_units(
    situation: Situation, contract: ContractFacts, request: ReviseRenewal, quantities: Mapping[str, int]
) -> None:
    """Raises `Refusal` if nothing would be renewed, or less than somebody whose last day to decline is over has to renew."""
    plain_terms = contract.having(offered=None)
    held = {asset.asset_id: change.after for asset, change in assets_of_next_term(situation, plain_terms)}
    now = {asset_id: record.periods[-1].quantity for asset_id, record in held.items()}
    if not any(quantities.get(asset_id, units) for asset_id, units in now.items()):
        field = "seats" if request.seats is not None else "assets"
        said = "0 units are no renewal; decline it with its reason (`answer_renewal`), or ask for 1 or more"
        raise Refusal(INVALID_REQUEST, _SAYS, [Problem(field=field, problem=said)])
    fewer = any(quantities.get(asset_id, units) < units for asset_id, units in now.items())
    if fewer and request.role is None and contract.auto_renew and situation.today > notice_by(contract):
        raise Refusal(
            NOT_ALLOWED,
            f"contract {contract.contract_id} renews by itself as it is: fewer units could be asked for until"
            f" {notice_by(contract)}; whoever of ours grants them says so with their role",
        )


def _approver(situation: Situation, contract: ContractFacts, made: RenewalVersion) -> str | None:
    """The role under which a version may be offered: its own, or the first one above whose limit covers it; null if none does."""
    percent = made.off(contract.uplift_percent)
    if percent <= 0:
        return made.role or "customer"
    quoting, given = situation.playbook.quoting, _given(situation, contract, made)
    ranked = quoting.limits[max(0, quoting.rank_of(made.role)) :]
    return next((limit.role for limit in ranked if limit.covers(percent, given)), None)


def _given(situation: Situation, contract: ContractFacts, made: RenewalVersion) -> Money:
    """What a version takes off in all, against the price that the contract provides for."""
    usual = contract.having(offered=made.having(discount_percent=Decimal(0), uplift_percent=None))
    full, less = (quote_renewal(situation, one).total for one in (usual, contract.having(offered=made)))
    return money(full - less, contract.currency)


def _percent(percent: Decimal) -> str:
    return f"{half_up(2).apply(percent).normalize():f} %"


def _lines(situation: Situation, contract: ContractFacts, made: RenewalVersion) -> list[str]:
    """A version as sentences: its units, length and sum, and what is given."""
    offered = contract.having(offered=made)
    quote = quote_renewal(situation, offered)
    units = counted(sum(line["quantity"] for line in quote.lines), "unit")
    total = f"{quote.total} {quote.currency}"
    percent = made.off(contract.uplift_percent)
    says = [f"Next term: {units} until {last_day(next_term(situation, offered))}, {total} in all."]
    return [*says, f"{_percent(percent)} off the price that the contract provides for."] if percent > 0 else says


def approval_of(situation: Situation, contract: ContractFacts, made: RenewalVersion, asked: str) -> Decision | None:
    """A version that somebody has to approve of first: a task with a date, and nothing yet for the customer. `asked`: by whom or why, as
    a sentence. Null if no role may give so much."""
    role = _approver(situation, contract, made)
    if role is None:
        return None
    made = made.having(role=role, state=VersionState.WAITING)
    due_at, due_on = situation.customer.morning(situation.in_days(situation.playbook.quoting.remind_after))
    says = f"Renewal of {contract.contract_id}, version {made.version}, waits for approval by {plain(role)}"
    lines = [
        *_lines(situation, contract, made),
        asked,
        f"Please approve or reject it by {due_on}.",
    ]
    asked_of = situation.customer.approver(made.asked_by).staff_id
    task = OpenStaffTask(_task(contract), says, asked_of, due_at, " ".join(lines[:-1]))
    return Decision(
        JournalLine(says, detail={"contract_id": contract.contract_id, "version": made.version}),
        Outcome(
            attention={_attention(contract): says},
            said=[says],
            answer={
                "contract_id": contract.contract_id,
                "version": made.version,
                "state": "waiting",
                "role": made.role,
            },
        ),
        [
            CloseStaffTasks(_task(contract), situation.as_of, TaskState.TAKEN_BACK, outcome=says),
            SaveRenewalVersion(contract.contract_id, contract.term.number + 1, made, asked, situation.as_of),
            task,
        ],
        notices=[
            approval_notice(
                *(situation.customer, made.asked_by, says, lines, due_at),
                act("approve_renewal", contract_id=contract.contract_id),
            )
        ],
    )


def _task(contract: ContractFacts) -> str:
    return f"{APPROVAL_TASK}/{contract.contract_id}"


def _attention(contract: ContractFacts) -> str:
    return f"renewal_approval:{contract.contract_id}"


def _offered(
    situation: Situation,
    contract: ContractFacts,
    made: RenewalVersion,
    says: str,
    writes: list[Write],
    notices: list[Notice],
) -> Decision:
    """The version goes to the customer, and is what a yes renews by."""
    contract = contract.having(offered=made)
    quote = quote_renewal(situation, contract)
    return Decision(
        JournalLine(says, detail={"contract_id": contract.contract_id, "version": made.version}),
        Outcome(
            stages=stages_of(situation, contract),
            attention={_attention(contract): None},
            said=[says],
            answer={
                "contract_id": contract.contract_id,
                "quote_id": quote.quote_id,
                "version": made.version,
                "state": "offered",
                "total": str(quote.total),
                "until": last_day(next_term(situation, contract)).isoformat(),
            },
        ),
        [*writes, quote, CloseStaffTasks(_task(contract), situation.as_of)],
        [mail_of(situation, contract, quote)],
        notices,
    )


def stages_of(situation: Situation, contract: ContractFacts) -> dict[str, Stage | None]:
    """The stage of a contract whose quote goes out of its turn: quoted, once the first notice was due."""
    noticed = any(notice_step(situation, contract, d).at <= situation.as_of for d in notice_days(situation, contract))
    if contract.status != ContractStatus.ACTIVE or not noticed:
        return {}
    return {contract.stage: Stage(status=RenewalStatus.QUOTED, until=contract.term.ends_at)}


def mail_of(situation: Situation, contract: ContractFacts, quote: QuoteRenewal) -> Mail:
    """The quote that somebody asked for, as the customer gets it whatever day it is."""
    if contract.status == ContractStatus.GRACE:
        until = max(situation.today, grace_end_step(as_planned(situation, contract), contract).on)
        return grace_mail(situation, contract, until, quote, asked=True)
    context = notice_context(situation, contract, quote)
    return Mail("renewal_notice", context)


def approve(situation: Situation, request: ApproveRenewal) -> Decision:
    """Whoever is asked approves, and the version goes out; or rejects, and all stays as it was."""
    contract = contract_of(situation, request.contract_id)
    waiting = contract.waiting
    if waiting is None or request.version not in (None, waiting.version):
        found = f"version {waiting.version} does" if waiting else "none does"
        raise Refusal(NOT_ALLOWED, f"that version of {contract.contract_id} waits for no approval; {found}")
    if request.by == waiting.asked_by:
        said = f"{request.by} asked for the renewal of {contract.contract_id}; somebody else has to decide"
        raise Refusal(NOT_ALLOWED, said)
    quoting = situation.playbook.quoting
    if quoting.rank_of(request.role) < max(0, quoting.rank_of(waiting.role)):
        said = f"it waits for {waiting.role}; {request.role} may not decide it"
        raise Refusal(NOT_ALLOWED, said)
    name = f"Renewal of {contract.contract_id}, version {waiting.version}"
    state = VersionState.OFFERED if request.decision == "approve" else VersionState.REJECTED
    settled = SettleRenewalVersion(
        contract.contract_id,
        contract.term.number + 1,
        waiting.version,
        state,
        request.role,
        request.by,
        request.reason,
        situation.as_of,
    )
    if state is VersionState.OFFERED:
        says = f"{name}: approved by {situation.named(request.by)} ({plain(request.role)})"
        made = waiting.having(state=state, role=request.role)
        return _offered(
            situation, contract, made, says, [settled], [Notice(says, ["It goes to the customer now."], to="owner")]
        )
    says = f"{name}: rejected: {request.reason}"
    return Decision(
        JournalLine(says, detail={"contract_id": contract.contract_id}),
        Outcome(
            attention={_attention(contract): None},
            said=[says],
            answer={"contract_id": contract.contract_id, "version": waiting.version, "state": state.value},
        ),
        [settled, CloseStaffTasks(_task(contract), situation.as_of)],
        notices=[
            Notice(
                says,
                ["Nothing was offered; ask again with less."],
                to="owner",
                acts=(act("revise_renewal", contract_id=contract.contract_id),),
            )
        ],
    )


def check_version(contract: ContractFacts, version: int | None) -> None:
    """Raises `Refusal` (NotAllowed) for a yes to another version than the customer was offered last."""
    offered = contract.offered.version if contract.offered else 1
    if version not in (None, offered):
        raise Refusal(
            NOT_ALLOWED,
            f"version {version} of the renewal of {contract.contract_id} is answered, but version {offered} is offered by now;"
            f" answer that one",
        )
