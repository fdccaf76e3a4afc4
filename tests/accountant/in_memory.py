"""Stories in memory: what the product decides and bills, without doors, database and workflow, so that a thousand take minutes.

What a contract sells and all that changes it is lived; purchases, quotes, transfers, goodwill and price matches are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import product
from typing import Any

from pydantic import ValidationError

from domain.assets.model import AssetRecord
from domain.billing.bill import BillLine
from domain.billing.billing import ContractBilling, ContractTerm, Due, settle
from domain.billing.line_parts import Why
from domain.contracts import changes, notice, renewal_answers, taking_back
from domain.contracts.renewal_requests import ConvertContract, GiveNotice
from domain.contracts.request_facts import RequestFacts
from domain.contracts.requests import AmendAssets, AnswerRenewal, CancelAssets, RenewAssets, RollBack, SwapAssets
from domain.frame.customer import AccountFacts
from domain.frame.decision import Decision
from domain.frame.ownership import POLICY
from domain.kernel.calendar import local_day, local_instant
from domain.kernel.refusals import Refusal
from domain.kernel.requests import Request
from domain.orders.order import OrderedProduct, read_order
from tests.accountant.compare import differences, judged
from tests.accountant.doors import Document, Done, Line, Lived
from tests.accountant.living import Judgement
from tests.accountant.story import PRODUCTS, Story, order_document
from tests.domain.contracts.world import InMemory

ASKED: dict[str, tuple[Callable[[RequestFacts, Any], Decision], type[Request]]] = {
    "amend_assets": (changes.amend, AmendAssets),
    "renew_assets": (changes.renew, RenewAssets),
    "cancel_assets": (changes.cancel, CancelAssets),
    "swap_assets": (changes.swap, SwapAssets),
    "convert_contract": (notice.convert, ConvertContract),
    "give_notice": (notice.give, GiveNotice),
    "rollback": (taking_back.roll_back, RollBack),
}
BILLED_AT = time(9)


class _Account(InMemory):
    """The first customer of a story, and what they were billed."""

    def __init__(self, story: Story) -> None:
        self.story, self.facts = story, story.accounts[0]
        account = AccountFacts(
            account_id=self.facts["account_id"],
            name="Company",
            country=self.facts["country"],
            time_zone=story.zone,
            language="en",
            segment="tech_touch",
            playbook_version=1,
            since=story.instant(-3, "12:00"),
        )
        products = [OrderedProduct.model_validate(each) for each in (*PRODUCTS, *story.products)]
        super().__init__(account, "aoi@customer.example", products)
        self.billed: dict[str, list[BillLine]] = {}
        self.next_days: dict[str, date | None] = {}
        self.settled: dict[str, AssetRecord] = {}
        self.documents: list[Document] = []
        self.odd: list[str] = []

    def live_to(self, instant: datetime) -> None:
        """Time goes by; what falls due is billed at nine."""
        day = local_day(self.now, self.story.zone)
        while (morning := local_instant(day, self.story.zone, BILLED_AT)) <= instant:
            if self.now < morning:
                self.pass_until(morning)
                if self._something_due(day):
                    self.settle()
            day += timedelta(days=1)
        self.pass_until(instant)

    def do(self, act: dict[str, Any], request_id: str) -> None:
        """Carries out an act and bills what follows from it. Raises Refusal or ValidationError."""
        if "order" in act:
            self.place(read_order(order_document(self.story, self.facts, act)))
        elif act["ask"] == "answer_renewal":
            self.apply(renewal_answers.answer(self.situation(), AnswerRenewal.model_validate(act["request"])))
        else:
            decide, model = ASKED[act["ask"]]
            self.apply(decide(self.desk(request_id), model.model_validate(act["request"])))
        self.settle()

    def settle(self) -> None:
        """Every asset is looked at."""
        today, account_id = self.situation().today, self.facts["account_id"]
        for asset_id, record in self.records.items():
            billed = self.billed.setdefault(asset_id, [])
            before = self.settled.get(asset_id)
            self.settled[asset_id] = record
            contract = self._billing(record.asset.contract_id or "")
            settled = settle(Due(record, before, contract, billed), today, record.asset.time_zone, POLICY)
            billed += settled.lines
            self.odd += [f"{today} {asset_id}: {each}" for each in charged_again(settled.lines)]
            self.next_days[asset_id] = settled.next_day
            for net in (line.amount for line in settled.lines if line.amount):
                name, line = f"D{len(self.documents)}", Line(asset_id, abs(net))
                self.documents.append(
                    Document(name, account_id, today, net < 0, abs(net), Decimal(0), abs(net), (line,), {})
                )

    def _something_due(self, today: date) -> bool:
        terms = [term for terms in self.terms.values() for term in terms]
        return today in self.next_days.values() or any(today in (term.start_on, term.until) for term in terms)

    def _billing(self, contract_id: str) -> ContractBilling | None:
        contract = self.customer.contract(contract_id)
        if contract is None:
            return None
        return ContractBilling(
            contract_id=contract_id,
            billing=contract.billing,
            first_invoice=contract.first_invoice,
            terms=tuple(ContractTerm(start_on=term.start_on, until=term.until) for term in self.terms[contract_id]),
            anchor_day=contract.anchor_day,
            billed_from=contract.billed_from,
        )


def _of_rules(act: dict[str, Any]) -> dict[str, Any] | None:
    """The act as far as it is lived here, if it is."""
    if act.get("order", {}).get("contracts"):
        return {**act, "order": {**act["order"], "lines": []}}
    return act if act.get("ask") in {*ASKED, "answer_renewal"} else None


def live_by_rules(story: Story) -> Lived:
    """Lives what the first customer of a story does."""
    world, lived = _Account(story), Lived(story)
    mine = [act for act in story.acts if act["who"] == story.accounts[0]["account_id"]]
    for act in filter(None, map(_of_rules, mine)):
        at = story.instant(act["day"], act["at"])
        world.live_to(at)
        try:
            world.do(act, act.get("request", {}).get("request_id", f"q-{len(lived.done)}"))
            lived.done.append(Done(act, at.date()))
        except (Refusal, ValidationError) as refused:
            lived.done.append(Done(act, at.date(), getattr(refused, "type", "Invalid"), str(refused)))
    world.live_to(story.instant(story.days, "12:00"))
    lived.last_day = story.first + timedelta(days=story.days)
    lived.documents, lived.odd = world.documents, world.odd
    return lived


def charged_again(lines: Sequence[BillLine]) -> Iterator[str]:
    """What is given back and charged on one day for the same days, at the same price."""
    said = [
        (line.amount, part) for line in lines for part in line.parts if line.why not in (Why.DIFFERENCE, Why.SET_OFF)
    ]
    for (amount, back), (other, part) in product(said, said):
        alike = (back.price, back.anchor) == (part.price, part.anchor)
        if amount < 0 < other and alike and max(back.start, part.start) < min(back.until, part.until):
            yield f"{back} is given back, and {part} charged"


def judge_by_rules(story: Story) -> Judgement:
    """Lives a story in memory and compares what is charged less what is given back, net, on every day."""
    lived = None
    try:
        lived = live_by_rules(story)
        return Judgement(story, lived, differences(lived, judged(lived)))
    except Exception as error:
        # As on a stack: what cannot be lived, or what the books do not allow, is a difference like any other.
        return Judgement(story, lived, [f"{type(error).__name__}: {error}"])
