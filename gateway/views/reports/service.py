"""How promises to customers went, and what keeping them returns."""

from __future__ import annotations

from datetime import datetime

from activities.kernel.clock import present
from activities.kernel.pool import Connection
from activities.service.service_reports import main_currency, own_revenue, sla_report
from domain.service.roi_report import GivenInputs, OwnData, RoiReport, roi_report
from domain.service.sla_report import SlaReport


async def service(connection: Connection, start: datetime, end: datetime) -> SlaReport:
    """Promises that began in a period, and what customers said of it."""
    return await sla_report(connection, start, end, as_of=present())


async def value(connection: Connection, given: GivenInputs, start: datetime, end: datetime) -> RoiReport:
    """What service joined to sales returns, by the company's own data of a period and of the one before it."""
    currency = given.currency or await main_currency(connection, end) or "EUR"
    now = await _own(connection, currency, start, end)
    before = await _own(connection, currency, start - (end - start), start)
    return roi_report(given, now, before)


async def _own(connection: Connection, currency: str, since: datetime, until: datetime) -> OwnData:
    return OwnData(
        revenue=await own_revenue(connection, currency, since, until),
        service=await sla_report(connection, since, until, as_of=until),
    )
