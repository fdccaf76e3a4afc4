"""Amendments, renewals, cancellations and swaps: from what was asked to one decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from domain.assets.contract_dates import ContractTerms, cotermed
from domain.assets.errors import ContractError, RestrictedError
from domain.assets.model import Asset, AssetRecord, ComingTerm, SellingModel
from domain.assets.operations import AnyRequest
from domain.assets.requests import (
    CancelAsset,
    ChangeEnd,
    ChangeFields,
    ChangePrice,
    ChangeQuantity,
    ChangeStart,
    Generate,
    Line,
    Renew,
    Swap,
)
from domain.assets.worth import anchor_at, month_anchors
from domain.contracts.bundled import bundled, check_apart, check_ends, renewed_along
from domain.contracts.renewal_quote import told_until
from domain.contracts.replanning import replan
from domain.contracts.request_facts import Changed, RequestFacts, Sold, carry_out
from domain.contracts.requests import (
    PERIOD_END,
    AddOn,
    AmendAssets,
    AmendedAsset,
    CancelAssets,
    Named,
    RenewAssets,
    RenewedAsset,
    SwapAssets,
    SwappedAsset,
)
from domain.contracts.telling import tell
from domain.contracts.terms import TermHoldings, period_end, units_at_end
from domain.frame.agreed import by_month
from domain.frame.customer import AssetFacts, ContractFacts, ContractStatus
from domain.frame.decision import Decision, JournalLine, Mail, Notice
from domain.frame.keys import StageId, StageKind
from domain.frame.ownership import check_more_of, over_says
from domain.frame.state import Outcome, Stage, Step
from domain.kernel.calendar import add_months, anchor_from, month_index, months_later, start_of_day
from domain.kernel.refusals import INVALID_REQUEST, Problem, Refusal, named_refusals
from domain.kernel.zones import local_time
from domain.orders.order import TERM_KINDS, PricePer, ProductKind

SCHEDULED = "scheduled"


def stage_of(request_id: str) -> str:
    """The id of the stage that waits until a change takes effect."""
    return str(StageId(StageKind.AMENDMENT, request_id))


def amend(desk: RequestFacts, request: AmendAssets) -> Decision:
    """Changes of assets, and new ones beside them."""
    with named_refusals():
        requests: list[AnyRequest] = [_amended(desk, asset, request) for asset in request.assets]
        check_ends(desk, request.assets)
        requests = bundled(desk, requests)
        added = [_added(desk, line, request, number) for number, line in enumerate(request.add_ons)]
    sold: dict[str, Sold] = {generate.asset.asset_id: terms for generate, terms in added}
    return decide(desk, carry_out(desk, [*requests, *(generate for generate, _ in added)], sold), request.reason)


def _amended(desk: RequestFacts, line: AmendedAsset, request: AmendAssets) -> AnyRequest:
    record = desk.record(line)
    facts = desk.facts(line.asset_id)
    common = {
        "request_id": desk.request_id,
        "recorded_at": desk.as_of,
        "asset_id": line.asset_id,
        "currency": line.currency,
    }
    effective = desk.moment(request.effective, desk.begun(record))
    if line.add is not None:
        known = desk.situation.customer.contract(facts.contract_id) if facts.contract_id else None
        check_more_of(record, facts.contract_id, known)
    if line.add is not None or line.remove is not None:
        price = None if line.unit_price is None else facts.monthly(line.unit_price)
        delta = line.add if line.add is not None else -(line.remove or 0)
        return ChangeQuantity(**common, effective=effective, delta=delta, unit_price=price)
    if line.fields is not None:
        price = None if line.price is None else facts.monthly(line.price)
        return ChangeFields(**common, effective=effective, attributes=line.fields, unit_price=price)
    if line.price is not None:
        return ChangePrice(**common, effective=effective, unit_price=facts.monthly(line.price))
    if line.start is not None:
        return ChangeStart(**common, new_start=desk.moment(line.start))
    return ChangeEnd(**common, effective=effective, new_end=_new_end(desk, line))


def _new_end(desk: RequestFacts, line: AmendedAsset) -> datetime:
    if line.end is not None:
        return desk.closing(line.end)
    neighbour = line.end_with
    if neighbour is not None and neighbour.contract_id is not None:
        term = desk.contract(neighbour.contract_id).term
        if term.is_open:
            raise RestrictedError(
                f"contract {neighbour.contract_id} has no end; name another contract or asset, or an end"
            )
        return term.ends_at
    other = desk.record(Named(asset_id=neighbour.asset_id or "")) if neighbour else None
    if other is None or other.end is None:
        raise RestrictedError("the asset to end with has no end")
    if not other.periods:
        raise RestrictedError(f"{other.asset.asset_id} was given up before it began; name another asset, or an end")
    return other.end


def _added(desk: RequestFacts, line: AddOn, request: AmendAssets, number: int) -> tuple[Generate, Sold]:
    """A new asset under a contract, to the end of its term."""
    contract = desk.contract(line.contract_id)
    if contract.status == ContractStatus.ENDED or contract.term.ends_at <= desk.as_of:
        raise ContractError(over_says(contract.contract_id))
    product = desk.product(line.product, f"add_ons[{number}].product")
    _check_kind(product.kind, sold_for_term=True, path=f"add_ons[{number}].product")
    terms = ContractTerms(
        contract_id=contract.contract_id,
        account_id=desk.situation.customer.account.account_id,
        start=contract.term.starts_at,
        end=contract.term.ends_at,
        open_ended=contract.term.is_open,
        coterminous=True,
    )
    start = desk.moment(request.effective)
    first = max(start, (contract.previous or contract.term).starts_at)
    price = by_month(line.unit_price, line.per)
    open_line = Line(start=first, end=None, quantity=line.quantity, unit_price=price)
    asset = Asset(
        asset_id=(line.asset_id or desk.new_id(contract.contract_id, number)),
        account_id=terms.account_id,
        product=product.code,
        name=product.name,
        currency=contract.currency,
        selling_model=SellingModel.EVERGREEN if terms.open_ended else SellingModel.TERMED,
        contract_id=terms.contract_id,
        time_zone=desk.zone,
        months_from=contract.months_from(desk.zone, desk.situation.customer.day_of(first)),
    )
    ahead = contract.term.starts_at
    generate = Generate(
        request_id=desk.request_id,
        recorded_at=desk.as_of,
        asset=asset,
        lines=cotermed([open_line], terms),
        terms=(ComingTerm(start=ahead, months_from=contract.months_from(desk.zone)),) if first < ahead else (),
    )
    return generate, Sold(line.unit_price, line.per)


def renew(desk: RequestFacts, request: RenewAssets) -> Decision:
    """The next term of a contract, or of some assets."""
    with named_refusals():
        lines = [RenewedAsset(asset_id=r.asset.asset_id) for r in _renewable(desk, request.contract_id)]
        named = [*(request.assets or lines)]
        children = [RenewedAsset(asset_id=child) for child in renewed_along(desk, [line.asset_id for line in named])]
        requests = [_renewed(desk, line, request) for line in [*named, *children]]
    return decide(desk, carry_out(desk, requests, {}), request.reason)


def _renewed(desk: RequestFacts, line: RenewedAsset, request: RenewAssets) -> Renew:
    record, facts = desk.record(line), desk.facts(line.asset_id)
    contract = desk.contract(facts.contract_id) if facts.contract_id else None
    given = request.start is not None or (contract is not None and contract.status == ContractStatus.ENDED)
    start = desk.moment(request.start) if given else record.end or desk.as_of
    percent = request.uplift_percent
    if request.index is not None:
        percent = request.index.percent(desk.situation.customer.day_of(start))
    elif percent is None:
        percent = contract.uplift_percent if contract else Decimal(0)
    months = request.months or (contract.renewal_months if contract else None)
    end = None if request.end is None else desk.closing(request.end)
    if end is None and months is not None and given:
        end = _whole_days_later(desk, start, months, contract)
    return Renew(
        request_id=desk.request_id,
        recorded_at=desk.as_of,
        asset_id=line.asset_id,
        start=start,
        months=None if end is not None else months,
        end=end,
        months_from=contract.months_from(desk.zone) if contract else None,
        unit_price=None if line.price is None else facts.monthly(line.price),
        uplift_percent=percent if line.price is None else Decimal(0),
        priced_months=12 if facts.per is PricePer.YEAR else 1,
    )


def _whole_days_later(desk: RequestFacts, start: datetime, months: int, contract: ContractFacts | None) -> datetime:
    """The end of a term of so many months that begins on the day of `start`, at whatever hour: terms follow each other by days."""
    day = desk.situation.customer.day_of(start)
    anchor = anchor_from(day, contract.anchor) if contract else day.day
    return start_of_day(add_months(day, months, anchor), desk.zone)


def _renewable(desk: RequestFacts, contract_id: str | None) -> Sequence[AssetRecord]:
    """The assets under a contract that a renewal of it renews: in force to its end, or beyond now. What ended before stays so."""
    if contract_id is None:
        return []
    term = desk.contract(contract_id).term
    living = TermHoldings.of(contract_id, {}, desk.situation.records).lives_on()
    return _some(contract_id, [r for r in living if r.end and (r.end > desk.as_of or r.end >= term.ends_at)])


def _cancellable(desk: RequestFacts, request: CancelAssets) -> Sequence[AssetRecord]:
    """The assets under a contract that cost something after its cancellation, or could, as units may be added to none; what was
    bought once stays the customer's."""
    if request.contract_id is None:
        return []
    desk.contract(request.contract_id)
    under = [record for record in desk.situation.records.values() if record.asset.contract_id == request.contract_id]
    held = [r for r in under if not r.cancelled and r.asset.selling_model is not SellingModel.ONE_TIME]
    ahead = [r for r in held if r.periods and (r.end is None or r.end > desk.as_of)]
    return _some(request.contract_id, [r for r in ahead if _lasts(r, _last(desk, r, request))] or ahead)


def _lasts(record: AssetRecord, last: datetime) -> bool:
    """True for what is there when it is given up, or has units to an end before that, which the ledger then names."""
    return record.end is None or record.end >= last or bool(units_at_end(record))


def _some(contract_id: str, found: list[AssetRecord]) -> list[AssetRecord]:
    if not found:
        raise ContractError(
            f"nothing of contract {contract_id!r} is left; a rollback takes a cancellation back until it takes effect"
        )
    return found


def cancel(desk: RequestFacts, request: CancelAssets) -> Decision:
    """Assets end for good, now, at the end of their period, or at a day."""
    with named_refusals():
        named = [Named(asset_id=record.asset.asset_id) for record in _cancellable(desk, request)]
        requests = bundled(desk, [_cancelled(desk, line, request) for line in request.assets or named])
    return decide(desk, carry_out(desk, requests, {}), request.reason)


def _cancelled(desk: RequestFacts, line: Named, request: CancelAssets) -> CancelAsset:
    effective = _last(desk, desk.record(line), request)
    return CancelAsset(request_id=desk.request_id, recorded_at=desk.as_of, asset_id=line.asset_id, effective=effective)


def _last(desk: RequestFacts, record: AssetRecord, request: CancelAssets) -> datetime:
    """The instant from which an asset is given up."""
    if request.effective == PERIOD_END:
        return _period_end(desk, record)
    return desk.begun(record) if isinstance(request.effective, str) else desk.moment(request.effective)


def _period_end(desk: RequestFacts, record: AssetRecord) -> datetime:
    """The end of the term; for what has none, the end of its contract's period, or else of the month of service."""
    if record.end is not None:
        return record.end
    contract = desk.contract(record.asset.contract_id) if record.asset.contract_id else None
    if contract is not None and contract.term.is_open:
        begun_on = desk.situation.customer.day_of(desk.begun(record))
        return start_of_day(period_end(contract, begun_on + timedelta(days=1)), desk.zone)
    if record.asset.selling_model is SellingModel.ONE_TIME:
        raise RestrictedError(f"{record.asset.asset_id} was bought once and has no period; cancel it now or on a day")
    zone, begun = record.asset.time_zone, desk.begun(record)
    months = month_index(local_time(begun, zone)) - month_index(local_time(record.start, zone))
    end = months_later(record.start, months, zone)
    return end if end > begun else months_later(record.start, months + 1, zone)


def swap(desk: RequestFacts, request: SwapAssets) -> Decision:
    """Units of one product become units of another, with the rest of the term."""
    sold: dict[str, Sold] = {}
    requests = []
    with named_refusals():
        check_apart(desk, [line.asset_id for line in request.assets], "swapped")
        for number, line in enumerate(request.assets):
            made = _swapped(desk, line, request, number)
            sold[made.to_asset.asset_id] = Sold(line.unit_price, line.per or desk.facts(line.asset_id).per)
            requests.append(made)
    return decide(desk, carry_out(desk, requests, sold), request.reason)


def _swapped(desk: RequestFacts, line: SwappedAsset, request: SwapAssets, number: int) -> Swap:
    record, facts = desk.record(line), desk.facts(line.asset_id)
    path = f"assets[{number}].to_product"
    product = desk.product(line.to_product, path)
    _check_kind(product.kind, sold_for_term=facts.kind in TERM_KINDS, path=path)
    sold_by: AssetFacts = facts.having(per=line.per or facts.per)
    effective = desk.moment(request.effective, desk.begun(record))
    to_asset = record.asset.having(
        asset_id=line.to_asset_id or desk.new_id(line.asset_id, number),
        product=product.code,
        name=product.name,
        carried=Fraction(),
        carried_first=None,
        months_from=anchor_at(month_anchors(record.asset, record.active), effective),
    )
    return Swap(
        request_id=desk.request_id,
        recorded_at=desk.as_of,
        asset_id=line.asset_id,
        to_asset=to_asset,
        effective=effective,
        unit_price=sold_by.monthly(line.unit_price),
        quantity=line.quantity,
        kind=line.kind,
    )


def _check_kind(kind: ProductKind, *, sold_for_term: bool, path: str) -> None:
    fits = kind in TERM_KINDS if sold_for_term else kind is ProductKind.DEVICE
    if not fits:
        wanted = "sold for a term (subscription or support)" if sold_for_term else "a device"
        problem = Problem(field=path, problem=f"is {kind.value}; what takes this place must be {wanted}")
        raise Refusal(INVALID_REQUEST, "the assets cannot be changed", [problem])


def decide(desk: RequestFacts, changed: Changed, reason: str, *, plans: bool = True) -> Decision:
    """Everything that follows from a changed ledger: writes, journal, mail, notice, plan and answer."""
    situation = desk.situation
    told = tell(situation, changed.changes)
    follows = replan(situation, changed.records)
    lines = [told_of.line for told_of in told]
    notes = [line.title for line in [*lines, *follows.lines]]
    outcome = follows.outcome
    if plans:
        outcome += scheduled(desk, changed)
    outcome = outcome + Outcome(
        said=notes[:2],
        answer={
            "request_id": desk.request_id,
            "assets": [told_of.answer for told_of in told],
            "contracts": [_contract_answer(contract) for contract in follows.contracts.values()],
        },
    )
    context = {"changes": [told_of.row for told_of in told], "contracts": _contract_rows(follows.contracts)}
    first = JournalLine(lines[0].title, detail={**lines[0].detail, **({"reason": reason} if reason else {})})
    return Decision(
        first,
        outcome,
        [*changed.opened, *changed.changes, *follows.writes],
        [Mail("assets_changed", context), *follows.mails],
        [Notice(f"Assets changed: {notes[0]}", [*notes, *([f"Reason: {reason}"] if reason else [])], to="owner")],
        more_lines=[*lines[1:], *follows.lines],
    )


def scheduled(desk: RequestFacts, changed: Changed) -> Outcome:
    """The step that tells when a change of the future takes effect; renewals and ends have steps of their own."""
    ahead = [
        action.effective
        for change in changed.changes
        if (action := change.after.actions[-1]).effective > desk.as_of
        and action.effective != change.after.end
        and action.category.value != "Renewals"
    ]
    if not ahead:
        return Outcome()
    stage, at = stage_of(desk.request_id), min(ahead)
    step = Step(kind="amendment_effective", stage=stage, name="effective", at=at, on=desk.situation.customer.day_of(at))
    return Outcome(plan=[step], stages={stage: Stage(status=SCHEDULED, until=at)})


def _contract_answer(contract: ContractFacts) -> dict[str, object]:
    return {
        "contract_id": contract.contract_id,
        "status": contract.status,
        "term": contract.term.number,
        "start": contract.term.start_on.isoformat(),
        "until": told_until(contract.term),
    }


def _contract_rows(contracts: Mapping[str, ContractFacts]) -> list[dict[str, str | None]]:
    return [
        {"contract_id": contract.contract_id, "until": told_until(contract.term)}
        for contract in contracts.values()
        if contract.status != ContractStatus.ENDED
    ]
