"""What a request would come to, for programs: what becomes of each asset and how its amount is made, what is invoiced, who is told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any

from pydantic import AwareDatetime

from activities.channels.errors import RenderError
from activities.channels.rendering import Renderer
from activities.frame.outbox import Waiting
from activities.journey.trying import Tried
from domain.contracts.telling import Told
from domain.frame.access import FieldGroup
from domain.frame.flight import Channel
from domain.frame.messages import OutgoingMail
from domain.frame.ownership import POLICY
from domain.kernel.money import Money
from domain.quotes.pricing import parts_of
from domain.quotes.quote import LotPart, Quote
from gateway.views.answers.sold import ChangedAsset
from gateway.views.shown import OF_SUMS, Exact, View


class PriceShare(View):
    """Units at a price for a time: `months` is null for what is paid once or has no end."""

    quantity: int
    unit_price: Exact | None
    start: AwareDatetime
    end: AwareDatetime | None
    months: Decimal | None
    amount: Decimal | None


class PreviewedChange(ChangedAsset):
    """What would become of an asset; `made_of` and `adjustment` say how its amount is made."""

    product: str
    quantity_before: int
    monthly_before: Annotated[Money, FieldGroup.PRICES]
    monthly: Annotated[Money, FieldGroup.PRICES]
    made_of: Annotated[list[PriceShare], FieldGroup.PRICES]
    adjustment: Annotated[Decimal | None, FieldGroup.PRICES]


class PreviewedMail(View):
    """A mail as its reader would have it. `leaves_at` is null if it leaves at once."""

    to: str
    template: str
    leaves_at: AwareDatetime | None
    subject: Annotated[str | None, FieldGroup.PRICES]
    text: Annotated[str | None, FieldGroup.PRICES]


class PreviewedNotice(View):
    """What one of our people would be told."""

    to: str
    title: Annotated[str, OF_SUMS]


class PreviewedAccount(View):
    """What it would come to for one account: two of them for a transfer. `documents`: invoices and credit notes as mails take them along."""

    account_id: str
    changes: list[PreviewedChange]
    quote: Annotated[Quote | None, FieldGroup.PRICES]
    documents: Annotated[list[dict[str, Any]], FieldGroup.PRICES]
    mails: list[PreviewedMail]
    notices: list[PreviewedNotice]


class RequestPreview(View):
    """What a request would come to as of an instant. Nothing was written, and nobody told."""

    as_of: AwareDatetime
    accounts: list[PreviewedAccount]


def preview_of(tried: Sequence[Tried], as_of: datetime) -> RequestPreview:
    """What was tried, as a document."""
    return RequestPreview(as_of=as_of, accounts=[_account(one) for one in tried])


def _account(tried: Tried) -> PreviewedAccount:
    return PreviewedAccount(
        account_id=tried.account_id,
        changes=[_change(one) for one in tried.changes],
        quote=tried.quotes[0] if tried.quotes else None,
        documents=tried.bills,
        mails=[_mail(one) for one in tried.messages if one.channel is Channel.MAIL],
        notices=[_notice(one) for one in tried.messages if one.channel is Channel.NOTICE],
    )


def _change(told: Told) -> PreviewedChange:
    row, after = told.row, told.part.after
    action = after.actions[-1]
    said = {"product": row["product"], "quantity_before": row["quantity_before"]}
    return PreviewedChange.model_validate(
        {
            **told.answer,
            **said,
            "monthly_before": row["mrr_before"],
            "monthly": row["mrr"],
            "made_of": [_share(part) for part in parts_of(after, action, POLICY)],
            "adjustment": action.adjustment_amount_change,
        }
    )


def _share(part: LotPart) -> PriceShare:
    return PriceShare.model_validate(part.model_dump())


def _mail(row: Waiting) -> PreviewedMail:
    mail = OutgoingMail.model_validate(row.body)
    try:
        written = _renderer().render(mail)
        subject, text = written.subject, written.text
    except RenderError:
        subject, text = None, None
    return PreviewedMail(to=mail.to_name, template=mail.template, leaves_at=row.leaves_at, subject=subject, text=text)


def _notice(row: Waiting) -> PreviewedNotice:
    return PreviewedNotice(to=str(row.body["to_name"]), title=str(row.body["title"]))


@cache
def _renderer() -> Renderer:
    return Renderer()
