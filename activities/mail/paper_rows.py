"""The mails that brought documents, for whoever wants to see one as the customer got it."""

from __future__ import annotations

from pydantic import AwareDatetime

from activities.kernel.queries import Column, Models, Query, Value
from domain.frame.messages import OutgoingMail
from domain.kernel.base import Carried
from domain.mail.papers import Paper, papers_of


class CarriedPapers(Carried):
    """A mail that has documents: when it left, and to whom."""

    delivery_id: str
    account_id: str
    contact_id: str | None = None
    body: OutgoingMail
    sent_at: AwareDatetime | None = None
    now: AwareDatetime | None = None
    """what time it is for the customer, whose clock may have been moved"""

    @property
    def papers(self) -> tuple[Paper, ...]:
        """Its documents, in its order."""
        return papers_of(self.body)


_MAIL = "select delivery_id, account_id, contact_id, body, case when status = 'sent' then settled_at end as sent_at from outbox"
_LATEST = " order by status = 'sent' desc, created_at desc, delivery_id desc"

mails_with_bill = Models(
    CarriedPapers,
    f"{_MAIL} where account_id = $1 and channel = 'deliver_mail' and status <> 'withdrawn'"
    " and body->'documents' @> jsonb_build_array(jsonb_build_object('id', $2::text))" + _LATEST + " limit 1",
)
"""The mail that brought an invoice or a credit note of an account, if one did."""

mails_with_quote = Models(
    CarriedPapers,
    f"{_MAIL} where account_id = $1 and channel = 'deliver_mail' and status <> 'withdrawn'"
    " and (body->>'template' = 'quote_presented' and body->'context'->>'quote_id' = $2"
    "  or body->>'template' in ('renewal_notice', 'renewal_grace') and body->'context'->'quote'->>'quote_id' = $2)"
    + _LATEST,
)
"""The mails that brought a quote of an account, or the proposal for a next term, the latest first; of each version one at least."""

mails_with_papers = Models(
    CarriedPapers,
    f"{_MAIL} where account_id = $1 and channel = 'deliver_mail' and status = 'sent'"
    " and (jsonb_array_length(case jsonb_typeof(body->'documents') when 'array' then body->'documents' else '[]' end) > 0"
    "  or body->>'template' = 'quote_presented'"
    "  or body->>'template' in ('renewal_notice', 'renewal_grace') and jsonb_typeof(body->'context'->'quote') = 'object')"
    " order by settled_at desc, delivery_id desc limit $2",
)
"""The mails that have brought documents to an account, the latest first."""

mail_by_token = Models(
    CarriedPapers,
    "select delivery_id, coalesce(account_id, '') as account_id, contact_id, body,"
    " case when status = 'sent' then settled_at end as sent_at,"
    " greatest($2::timestamptz, (select max(e.as_of) from effect e where e.account_id = o.account_id)) as now"
    " from outbox o where channel = 'deliver_mail' and delivery_digest(delivery_id) = $1",
)
"""The mail whose links name it by a digest."""

account_of_bill = Value[str | None](
    "select account_id from invoice where invoice_id = $1 union all"
    " select account_id from credit_memo where credit_memo_id = $1"
)
account_of_quote = Value[str | None](
    "select account_id from quote where quote_id = $1 union all"
    " select c.account_id from renewal_quote q join contract c using (contract_id) where q.quote_id = $1 limit 1"
)
corrected_by = Column[str](
    "select distinct invoice_id from credit_memo_line where credit_memo_id = $1 and invoice_id is not null order by 1"
)
"""The invoices that a credit note gives back of."""
bill_head = Query(
    "select d.kind, d.issued_on, a.name, a.language, a.time_zone from ("
    " select invoice_id as id, account_id, 'invoice' as kind, issued_on from invoice"
    " union all select credit_memo_id, account_id, 'credit_memo', issued_on from credit_memo) d"
    " join account a using (account_id) where d.id = $1"
)
"""What an invoice or a credit note is, and whose."""
