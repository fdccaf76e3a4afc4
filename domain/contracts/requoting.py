"""A renewal was quoted, and then the assets changed: the customer is told what the next term costs now."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from domain.contracts.renewal_quote import notice_context, quote_renewal
from domain.contracts.renewal_status import RenewalStatus
from domain.frame.customer import ContractStatus
from domain.frame.decision import Decision, JournalLine, Mail
from domain.frame.situation import Situation
from domain.frame.state import Outcome, Stage
from domain.holds.guard import guard_of
from domain.kernel.base import Write


def requote(after: Situation, quoted: Mapping[str, Decimal]) -> Decision | None:
    """The quotes that a change has overtaken, made anew; null if all still hold.

    after: once the change is made, with its ledger. quoted: what the next terms of contracts were quoted at, by contract id.
    """
    under_way = {record.asset.contract_id for record in after.records.values() if record.lock is not None}
    lines: list[JournalLine] = []
    writes: list[Write] = []
    mails: list[Mail] = []
    stages: dict[str, Stage | None] = {}
    for contract_id, total in quoted.items():
        contract = after.customer.contract(contract_id)
        if (
            contract is None
            or contract.status != ContractStatus.ACTIVE
            or guard_of(after).renewal_held(contract.term.ends_at)
        ):
            continue
        if contract_id in under_way:
            continue  # part of it is on its way to another account: asked again once that is settled
        if (contract.term.until - after.today).days > max(after.playbook.renewal.notice_days):
            continue  # the end has moved away: it is talked about when it comes
        quote = quote_renewal(after, contract)
        if quote.total == total:
            continue
        says = f"Renewal of {contract_id} costs {quote.total} {quote.currency} now, not {total}: quoted anew"
        lines.append(
            JournalLine(says, name=contract_id, detail={"contract_id": contract_id, "total": str(quote.total)})
        )
        writes.append(quote)
        stages[contract.stage] = Stage(status=RenewalStatus.QUOTED, until=contract.term.ends_at)
        context = notice_context(after, contract, quote)
        mails.append(Mail("renewal_notice", context))
    if not lines:
        return None
    return Decision(lines[0], Outcome(stages=stages), writes, mails, more_lines=lines[1:])
