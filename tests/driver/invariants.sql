-- What holds of the tables whatever was asked: each query gives the rows that break its rule, with what breaks it.
-- It knows the tables alone, and shares nothing with the program that fills them.

-- name: periods follow each other without a gap
select asset_id, ends_at, next_start
from (select asset_id, ends_at, lead(starts_at) over w as next_start
      from asset_state_period window w as (partition by asset_id order by starts_at)) p
where next_start is not null and ends_at is distinct from next_start;

-- name: no period is empty or holds less than nothing
select asset_id, starts_at, ends_at, quantity from asset_state_period
where quantity < 0 or ends_at <= starts_at or mrr < 0;

-- name: the periods fill an asset's life
select a.asset_id, a.lifecycle_start, a.lifecycle_end, min(p.starts_at) as first, max(coalesce(p.ends_at, 'infinity')) as last
from asset a left join asset_state_period p using (asset_id)
group by a.asset_id
having case when count(p.asset_id) = 0 then a.lifecycle_end is distinct from a.lifecycle_start
       else min(p.starts_at) <> a.lifecycle_start
            or max(coalesce(p.ends_at, 'infinity')) <> coalesce(a.lifecycle_end, 'infinity') end;

-- name: what is held is what the actions' lots add up to
select p.asset_id, p.starts_at, p.quantity, sum(s.quantity) as lots
from asset_state_period p
left join asset_action_source s
  on s.asset_id = p.asset_id and s.starts_at <= p.starts_at and (s.ends_at is null or s.ends_at > p.starts_at)
group by p.asset_id, p.starts_at, p.quantity
having p.quantity <> coalesce(sum(s.quantity), 0);

-- name: actions are numbered one by one
select asset_id, count(*) as actions, max(sequence) as last from asset_action group by asset_id
having count(*) <> max(sequence) or min(sequence) <> 1;

-- name: an asset's version counts its actions
select a.asset_id, a.version, count(*) as actions from asset a join asset_action c using (asset_id)
group by a.asset_id having a.version < count(*);

-- name: a contract that is not over has a term
select c.contract_id, c.status from contract c
where c.status <> 'ended' and not exists (select from contract_term t where t.contract_id = c.contract_id);

-- name: terms are numbered one by one and do not overlap
select contract_id, number, starts_at, before_end
from (select contract_id, number, starts_at, lag(ends_at) over w as before_end, lag(number) over w as before
      from contract_term window w as (partition by contract_id order by number)) t
where number <> coalesce(before, 0) + 1 or starts_at < before_end;

-- name: a contract that runs holds something
select c.contract_id, c.status from contract c
where c.status = 'active' and exists (select from asset a where a.contract_id = c.contract_id)
  and not exists (select from asset a join asset_state_period p using (asset_id)
                  where a.contract_id = c.contract_id);

-- name: no charge is credited more than once
select l.asset_id, l.lot, l.period, sum(l.amount) as left_of_it
from (select asset_id, lot, period, amount from invoice_line where lot is not null
      union all select asset_id, lot, period, amount from billed_elsewhere
      union all select asset_id, lot, period, -amount from credit_memo_line where lot is not null) l
group by l.asset_id, l.lot, l.period having sum(l.amount) < 0;

-- name: no purchase is credited more than once
select l.order_id, l.line_id, sum(l.amount) as left_of_it
from (select order_id, line_id, amount from invoice_line where lot is null
      union all select order_id, line_id, -amount from credit_memo_line where lot is null and order_id is not null) l
group by l.order_id, l.line_id having sum(l.amount) < 0;

-- name: nothing is given back and charged again at once
select l.asset_id, i.invoice_id, m.credit_memo_id, l.amount
from invoice i join invoice_line l using (invoice_id)
join credit_memo m on m.account_id = i.account_id and m.issued_at = i.issued_at
join credit_memo_line c on c.credit_memo_id = m.credit_memo_id and c.asset_id = l.asset_id
where c.kind = 'credit' and c.amount = l.amount and c.covers_from = l.covers_from and c.covers_until = l.covers_until;

-- name: no document is over nothing
select invoice_id as document, total from invoice where total <= 0
union all select credit_memo_id, total from credit_memo where total <= 0;

-- name: every document has lines
select invoice_id as document from invoice i where not exists (select from invoice_line l where l.invoice_id = i.invoice_id)
union all
select credit_memo_id from credit_memo m
where not exists (select from credit_memo_line l where l.credit_memo_id = m.credit_memo_id);

-- name: documents are numbered one by one
select account_id, count(*) as documents, max(number) as last from invoice group by account_id
having count(*) <> max(number) or min(number) <> 1
union all
select account_id, count(*), max(number) from credit_memo group by account_id
having count(*) <> max(number) or min(number) <> 1;

-- name: what never began costs nothing
select a.asset_id, sum(l.amount) as net
from asset a
join (select asset_id, amount from invoice_line where asset_id is not null
      union all select asset_id, -amount from credit_memo_line where asset_id is not null) l using (asset_id)
where not exists (select from asset_state_period p where p.asset_id = a.asset_id)
group by a.asset_id having sum(l.amount) <> 0;

-- name: every effect belongs to its customer or case
select key, account_id from effect
where key like 'journey:%' and key not like 'journey:' || replace(replace(account_id, '_', '\_'), '%', '\%') || '/%';

-- name: a mail leaves once
select message_id, count(*) as rows from outbox where message_id is not null group by message_id having count(*) > 1;

-- name: what was settled says when, and what was rejected why
select delivery_id, status from outbox
where (status in ('waiting', 'held')) = (settled_at is not null) or (status = 'rejected' and coalesce(reason, '') = '');

-- name: nothing stays on its way
select delivery_id, channel, created_at from outbox where status = 'waiting';

-- name: a transfer ends
select transfer_id, status from conveyance where status = 'under_way';

-- name: nothing stays locked
select asset_id, lock from asset where lock is not null;

-- name: what one customer hands over the other takes
select c.transfer_id, c.status from conveyance c
where c.status = 'received'
  and not exists (select from asset_action a where a.category = 'Transfers' and a.subtype = 'TransferTo'
                  and a.request_id like '%' || split_part(c.transfer_id, '/', 2));

-- name: a customer's lines are written in the order of their steps
select j.account_id, j.journal_id, j.key, j.at, e.as_of
from journal j join effect e on e.key = j.key where j.at > e.as_of + interval '1 second' and j.kind not in ('past', 'order_accepted');

-- name: a case that is over does nothing more
select c.case_id, c.status, c.next_action_at from service_case c
where c.status in ('merged', 'cancelled') and c.next_action_at is not null
  and not exists (select from refund_claim r where r.case_id = c.case_id and r.status = 'waiting');

-- name: a case that is answered has a first response, and one that is resolved a time
select case_id, status from service_case where status = 'resolved' and resolved_at is null;

-- name: a merged case says into which
select case_id from service_case where (status = 'merged') <> (merged_into is not null);

-- name: a claim that was paid has its credit memo
select claim_id, status from refund_claim where status = 'refunded' and credit_memo_id is null;

-- name: offers are about units that somebody has
select o.offer_id from offer o
where o.status = 'open' and not exists (select from asset_state_period p where p.asset_id = o.asset_id);

-- name: a quote that was taken became an order
select quote_id, state from quote where state = 'accepted' and order_id is null;

-- name: a short number stands for something that its customer has been asked about
select s.* from short_number s
where not exists (select from contract c where c.account_id = s.account_id and s.kind = 'contract' and c.contract_id = s.thing_id)
  and not exists (select from quote q where q.account_id = s.account_id and s.kind = 'quote' and q.quote_id = s.thing_id)
  and not exists (select from offer o where o.account_id = s.account_id and s.kind = 'offer' and o.offer_id = s.thing_id);
