-- migrate:up

-- What the ledger that takes payments has told of an invoice: overdue since a day, or paid on one.

create table invoice_payment (
    invoice_id      text primary key references invoice,
    account_id      text not null references account,
    status          text not null check (status in ('overdue', 'paid')),
    day             date not null,
    at              timestamptz not null,
    by              text not null
);
create index invoice_payment_of_account on invoice_payment (account_id);

-- migrate:down

drop table invoice_payment;
