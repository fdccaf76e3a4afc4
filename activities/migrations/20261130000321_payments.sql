-- migrate:up

-- Payments as they came in and went back, and what of each is of which invoice. Only ever added.

create table payment (
    account_id      text not null references account,
    payment_id      text not null,
    kind            text not null check (kind in ('payment', 'refund', 'chargeback')),
    amount          numeric not null check (amount > 0),
    currency        text not null,
    day             date not null,
    at              timestamptz not null,
    by              text not null,
    of_payment      text,
    primary key (account_id, payment_id),
    foreign key (account_id, of_payment) references payment (account_id, payment_id)
);
create index payment_of_payment on payment (account_id, of_payment) where of_payment is not null;

create table payment_part (
    account_id      text not null,
    payment_id      text not null,
    invoice_id      text not null references invoice,
    amount          numeric not null check (amount <> 0),
    primary key (account_id, payment_id, invoice_id),
    foreign key (account_id, payment_id) references payment
);
create index payment_part_of_invoice on payment_part (invoice_id);
comment on column payment_part.amount is 'negative if it went back';

-- What credit memos give back of an invoice, its tax included. A credit without tax names no invoice: it is of the latest that charged the
-- same.

create function credited_of(invoice) returns numeric language sql stable as $$
    select coalesce((
      select sum(m.amount) from credit_memo_line m join credit_memo c using (credit_memo_id)
      where c.account_id = $1.account_id and coalesce(m.invoice_id, (
        select l.invoice_id from invoice_line l join invoice i using (invoice_id)
        where i.account_id = $1.account_id and (
          m.lot is not null and l.asset_id = m.asset_id and l.lot = m.lot and l.period = m.period
          or m.lot is null and l.lot is null and l.order_id = m.order_id and l.line_id = m.line_id)
        order by i.number desc limit 1)) = $1.invoice_id), 0)
    + coalesce((select sum(t.tax) from credit_memo_tax t where t.invoice_id = $1.invoice_id), 0)
$$;

create function paid_of(invoice) returns numeric language sql stable as $$
    select coalesce(sum(p.amount), 0) from payment_part p where p.invoice_id = $1.invoice_id
$$;

-- migrate:down

drop function paid_of(invoice);
drop function credited_of(invoice);
drop table payment_part;
drop table payment;
