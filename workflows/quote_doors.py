"""The doors of a journey for quotes, asked for, approved, accepted; and for what becomes of an order's lines."""

from __future__ import annotations

from typing import Any

from temporalio import workflow

from domain.orders.fulfilments import ReportFulfilment
from domain.quotes.requests import AcceptQuote, ApproveQuote, DeclineQuote, RequestQuote
from workflows import quoting
from workflows.journey import Journey


class QuoteDoors(Journey):
    """A journey with these handlers."""

    @workflow.update(
        description="A quote, or the next version of one: {quote_id, lines: [{line_id, kind, …}], discounts?, role?, contract_id? |"
        " new_contract?, price_book?, currency?, valid_days?, as_of?, by?, request_id?}"
    )
    async def request_quote(self, request: Any) -> dict[str, Any]:
        """Makes a quote; one with deep discounts waits for approval, any other goes to the customer."""
        return await self.ask_by("request_quote", request)

    @request_quote.validator
    def _check_request_quote(self, request: Any) -> None:
        self.check(RequestQuote, request)

    @workflow.update(
        description="Decide on a quote's discounts: {quote_id, role, decision?: approve|reject, reason?, version?, by}"
    )
    async def approve(self, request: Any) -> dict[str, Any]:
        """Approves or rejects what a quote waits for."""
        return await self.ask_by("approve_quote", request)

    @approve.validator
    def _check_approve(self, request: Any) -> None:
        self.check(ApproveQuote, request, quoting.check_approve, recorded=True)

    @workflow.update(description="The customer takes a quote: {quote_id, version?, order_id?, by?, request_id?}")
    async def accept_quote(self, request: Any) -> dict[str, Any]:
        """Makes a quote an order: assets, contracts, invoice and agenda follow from it."""
        return await self.ask_by("accept_quote", request)

    @accept_quote.validator
    def _check_accept_quote(self, request: Any) -> None:
        self.check(AcceptQuote, request, quoting.check_answer, recorded=True)

    @workflow.update(description="The customer does not take a quote: {quote_id, version?, reason?, by?}")
    async def decline_quote(self, request: Any) -> dict[str, Any]:
        """Ends a quote."""
        return await self.ask_by("decline_quote", request)

    @decline_quote.validator
    def _check_decline_quote(self, request: Any) -> None:
        self.check(DeclineQuote, request, quoting.check_answer, recorded=True)

    @workflow.update(
        description="Units of an order line moved on: {order_id, line_id, step: ordered|shipped|delivered|installed|returned,"
        " quantity?, at?, promised_at?, reason?, by?, request_id?}"
    )
    async def report_fulfilment(self, request: Any) -> dict[str, Any]:
        """Records what became of an order line."""
        return await self.ask_by("report_fulfilment", request)

    @report_fulfilment.validator
    def _check_report_fulfilment(self, request: Any) -> None:
        self.check(ReportFulfilment, request)
