"""A customer in memory: decisions are applied as the store and the journey apply them, and what is due is done in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import Any

from activities.playbooks import FOLDER, read_playbooks
from domain.assets.model import AssetRecord
from domain.assets.writes import AssetChange
from domain.contracts import renewal, renewal_notices
from domain.contracts.effective import effective
from domain.contracts.request_facts import RequestFacts
from domain.contracts.waiting import unless_locked
from domain.contracts.writes import BeginTerm, DropTerm, GiveTerm, MoveTerm, OpenAsset, OpenContract, SetContractStatus
from domain.frame.customer import (
    AccountFacts,
    AssetFacts,
    ContactFacts,
    ContractFacts,
    Customer,
    PeriodFacts,
    StaffFacts,
)
from domain.frame.decision import Decision
from domain.frame.situation import Situation
from domain.frame.state import JourneyState, Step
from domain.frame.term_facts import TermFacts
from domain.journey import activation
from domain.journey.sale import sale_of
from domain.orders.order import Order, OrderedProduct, ProductKind, read_order
from tests.builders import order

PLAYBOOK = read_playbooks(FOLDER).current("standard")
PRO = OrderedProduct(code="PRO", name="Workspace Pro", kind=ProductKind.SUBSCRIPTION)
Rule = Callable[[Situation, Step], Decision]
RULES: dict[str, Rule] = {
    "renewal_notice": unless_locked(renewal_notices.notice),
    "renewal_term_end": unless_locked(renewal.term_end),
    "renewal_grace_end": renewal.grace_end,
    "amendment_effective": effective,
}


class InMemory:
    """One customer: their facts, their ledger and their journey's state. Adoption and onboarding are left out."""

    def __init__(self, account: AccountFacts, email: str, products: Iterable[OrderedProduct] = ()) -> None:
        person = StaffFacts(staff_id="S-1", name="Olga Owner", email="olga@seller.example")
        contact = ContactFacts(
            contact_id="P-1",
            name="Aoi",
            email=email,
            role="main",
            language=account.language,
            time_zone=account.time_zone,
        )
        self.now: datetime = account.since
        self.products: dict[str, OrderedProduct] = {product.code: product for product in products}
        self.customer = Customer(
            account=account, owner=person, success_manager=person, contacts=[contact], contracts=[], assets=[]
        )
        self.records: dict[str, AssetRecord] = {}
        self.state = JourneyState(account_id=account.account_id)
        self.done: list[str] = []
        self.terms: dict[str, list[TermFacts]] = {}
        self.requests = 0

    def place(self, placed: Order) -> None:
        """An order is accepted."""
        sale = sale_of(placed, {product.code: product for product in placed.products})
        known = self.customer
        self.customer = known.having(
            contracts=[*known.contracts, *sale.contracts], assets=[*known.assets, *sale.assets]
        )
        self.terms |= {each.contract_id: [each.term] for each in sale.contracts}
        self.apply(activation.accept(self.situation(), placed, sale, first=False, opening=False, goods=False))

    def situation(self) -> Situation:
        assert PLAYBOOK is not None
        return Situation(self.customer, PLAYBOOK, self.now, dict(self.records))

    def desk(self, request_id: str = "") -> RequestFacts:
        self.requests += 1
        return RequestFacts(self.situation(), (request_id or f"r-{self.requests}"), self.products)

    def pass_until(self, until: datetime) -> None:
        """Time goes by; everything of renewals and amendments that comes due is done."""
        while self.state.agenda and self.state.agenda[0].at <= until:
            step = self.state.agenda[0]
            self.now = max(self.now, step.at)
            if step.kind not in RULES:
                self.state = self.state.having(agenda=self.state.agenda[1:])
                continue
            assert step.key not in self.done, f"{step.key} would be found done"
            self.done.append(step.key)
            self.apply(RULES[step.kind](self.situation(), step), done=step)
        self.now = until

    def apply(self, decision: Decision, done: Step | None = None) -> None:
        for write in decision.writes:
            self._write(write)
        self.state = self.state.after(decision.outcome, self.now, done=done)

    def _write(self, write: Any) -> None:
        match write:
            case AssetChange():
                assert self.records.get(write.after.asset.asset_id) == write.before
                self.records[write.after.asset.asset_id] = write.after
                self._asset(write)
            case OpenAsset():
                self._open(write)
            case OpenContract():
                self._terms(write.contract.contract_id, [write.contract.term], write.contract)
            case BeginTerm():
                term = TermFacts(
                    number=write.number,
                    start_on=write.start_on,
                    until=write.until,
                    starts_at=write.starts_at,
                    ends_at=write.ends_at,
                )
                known = self.terms[write.contract_id]
                assert write.number == known[-1].number + 1
                self._terms(write.contract_id, [*known, term])
            case MoveTerm():
                *known, last = self.terms[write.contract_id]
                assert last.number == write.number
                assert write.starts_at < write.ends_at
                assert write.start_on < write.until
                changed = {"start_on": write.start_on, "until": write.until, "moves": last.moves + 1}
                changed |= {"starts_at": write.starts_at, "ends_at": write.ends_at}
                self._terms(write.contract_id, [*known, last.having(**changed)])
            case DropTerm():
                *known, last = self.terms[write.contract_id]
                assert (last.number, bool(known)) == (write.number, True)
                self._terms(write.contract_id, known)
            case GiveTerm():
                contract = self.customer.contract(write.contract_id)
                assert contract is not None
                given = {
                    name: getattr(write, name)
                    for name in ("auto_renew", "renewal_months", "uplift_percent", "evergreen")
                }
                self._terms(write.contract_id, self.terms[write.contract_id], contract, **given)
            case SetContractStatus():
                contract = self.customer.contract(write.contract_id)
                assert contract is not None
                self._terms(
                    write.contract_id,
                    self.terms[write.contract_id],
                    contract,
                    status=write.status,
                    status_reason=write.reason,
                )

    def _terms(
        self, contract_id: str, terms: list[TermFacts], contract: ContractFacts | None = None, **changes: object
    ) -> None:
        contract = contract or self.customer.contract(contract_id)
        assert contract is not None
        self.terms[contract_id] = terms
        starts = [term.start_on for term in terms]
        first = {"first_start": terms[0].start_on, "first_until": terms[0].until, "starts": starts}
        latest = {"term": terms[-1], "previous": terms[-2] if len(terms) > 1 else None}
        after = contract.having(**first | latest | changes)
        others = [c for c in self.customer.contracts if c.contract_id != contract_id]
        self.customer = self.customer.having(contracts=[*others, after])

    def _open(self, write: OpenAsset) -> None:
        asset = write.asset
        facts = AssetFacts(
            asset_id=asset.asset_id,
            product=asset.product,
            product_name=asset.name,
            kind=ProductKind.SUBSCRIPTION,
            contract_id=asset.contract_id,
            currency=asset.currency,
            per=write.per,
            unit_price=write.unit_price,
            periods=[],
        )
        self.customer = self.customer.having(assets=[*self.customer.assets, facts])

    def _asset(self, change: AssetChange) -> None:
        record = change.after
        periods = [
            PeriodFacts(starts_at=p.start, ends_at=p.end, quantity=p.quantity, mrr=p.mrr) for p in record.periods
        ]
        assets = [
            asset.having(periods=periods, unit_price=change.unit_price)
            if asset.asset_id == record.asset.asset_id
            else asset
            for asset in self.customer.assets
        ]
        self.customer = self.customer.having(assets=assets)


class World(InMemory):
    """The customer of the usual order, with its one contract."""

    def __init__(self, *, auto_renew: bool, zone: str = "Asia/Tokyo", begins_in: int = 0) -> None:
        document = order()
        if begins_in:
            term = document["contracts"][0]["term"]
            term["start"] = (date.fromisoformat(term["start"]) + timedelta(days=begins_in)).isoformat()
        document["account"]["time_zone"] = zone
        document["contracts"][0]["auto_renew"] = auto_renew
        placed = read_order(document)
        account = AccountFacts(
            account_id=placed.account.account_id,
            name=placed.account.name,
            country="JP",
            time_zone=zone,
            language="ja",
            segment="standard",
            playbook_version=1,
            since=placed.activated_at,
        )
        super().__init__(account, "aoi@customer.example", [PRO])
        self.seats, self.care = f"{placed.order_id}.1", f"{placed.order_id}.2"
        self.contract_id = str(placed.contracts[0].contract_id)
        self.place(placed)

    def contract(self) -> ContractFacts:
        found = self.customer.contract(self.contract_id)
        assert found is not None
        return found

    def ask(self, decide: Callable[[RequestFacts, Any], Decision], request: Any) -> None:
        """A request, answered as the journey would."""
        self.apply(decide(self.desk(), request))

    def pass_by(self, days: int) -> None:
        """Days go by."""
        self.pass_until(self.now + timedelta(days=days))
