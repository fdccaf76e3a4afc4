-- migrate:up

-- Money given back on a case: price matches, which a policy owes, and goodwill, which it does not. A claim that waits for
-- an approval counts like one that was refunded until it is decided. `key` stands once among those; for a price match it
-- is the line with the version of the price. `claimed_on` is the customer's local day, by which window and year count.

create table refund_claim (
    claim_id        text primary key,
    key             text not null,
    kind            text not null check (kind in ('price_match', 'goodwill')),
    account_id      text not null references account,
    case_id         text not null references service_case,
    order_id        text,
    line_id         text,
    currency        text not null,
    amount          numeric not null check (amount > 0),
    quantity        integer,
    unit_paid       numeric,
    unit_now        numeric,
    gross           numeric,
    tax             numeric,
    limited_by      text,
    paid_on         date,
    price_book      text,
    price_since     date,
    price_version   text,
    window_ends_on  date,
    policy_version  integer not null,
    approval        text not null check (approval in ('agent', 'lead', 'manager')),
    status          text not null check (status in ('waiting', 'refunded', 'rejected', 'timed_out')),
    reason          text not null default '',
    claimed_at      timestamptz not null,
    claimed_on      date not null,
    claimed_by      text not null,
    remind_at       timestamptz,
    reminded_at     timestamptz,
    due_at          timestamptz,
    decided_at      timestamptz,
    decided_by      text,
    decided_role    text,
    decision        text not null default '',
    credit_memo_id  text references credit_memo,
    foreign key (order_id, line_id) references order_line,
    check ((status = 'refunded') = (credit_memo_id is not null)),
    check ((status = 'waiting') = (decided_at is null)),
    check (kind <> 'price_match' or unit_now <= unit_paid and price_version is not null and line_id is not null)
);
create unique index refund_claim_once on refund_claim (key) where status in ('waiting', 'refunded');
create index refund_claim_of_line on refund_claim (order_id, line_id) where line_id is not null;
create index refund_claim_of_account on refund_claim (account_id, claimed_on);
create index refund_claim_of_case on refund_claim (case_id);

-- The terms of price protection and goodwill, each version that a claim was judged by.

create table protection_policy (
    version         integer primary key,
    body            jsonb not null
);

-- Tax on a line in percent, where the order names it.

alter table order_line add column tax_rates numeric[];

-- migrate:down

alter table order_line drop column tax_rates;
drop table protection_policy, refund_claim;
