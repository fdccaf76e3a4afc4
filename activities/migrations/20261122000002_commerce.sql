-- migrate:up

-- What can be sold: every version of a product as the catalogue has it, and list prices by currency and edition.

create table catalogue_product (
    product_code    text not null references product,
    version         integer not null,
    body            jsonb not null,
    recorded_at     timestamptz not null,
    primary key (product_code, version)
);

create table price_book (
    name            text not null,
    currency        text not null,
    valid_from      date not null,
    valid_to        date,
    unit_decimals   integer not null default 6,
    recorded_at     timestamptz not null,
    primary key (name, currency, valid_from),
    check (valid_to is null or valid_from < valid_to)
);

create table price_entry (
    name            text not null,
    currency        text not null,
    valid_from      date not null,
    number          integer not null,
    product_code    text not null references product,
    per             text not null check (per in ('month', 'year', 'once', 'use')),
    selling_model   text check (selling_model in ('one_time', 'termed', 'evergreen', 'usage')),
    attributes      jsonb not null default '{}',
    tiers           jsonb not null,
    primary key (name, currency, valid_from, number),
    foreign key (name, currency, valid_from) references price_book on delete cascade
);
create index price_entry_of_product on price_entry (product_code, name, currency, valid_from);

-- Quotes: a row for where it stands, its versions, and what led there. Versions and events are never changed.

create table quote (
    quote_id        text primary key,
    account_id      text not null references account,
    state           text not null check (state in (
        'draft', 'in_approval', 'approved', 'presented', 'accepted', 'declined', 'expired')),
    version         integer not null,
    currency        text not null,
    amount          numeric not null,
    valid_until     timestamptz not null,
    requested_by    text not null,
    order_id        text references sales_order
);
create index quote_of_account on quote (account_id, valid_until);

create table quote_version (
    quote_id        text not null references quote,
    version         integer not null,
    as_of           timestamptz not null,
    valid_until     timestamptz not null,
    currency        text not null,
    amount          numeric not null,
    body            jsonb not null,
    terms           jsonb not null default '{}',
    primary key (quote_id, version)
);

create table quote_event (
    quote_id        text not null references quote,
    number          integer not null,
    at              timestamptz not null,
    version         integer not null,
    state           text not null,
    by              text not null,
    reason          text,
    primary key (quote_id, number)
);

create table quote_approval (
    quote_id        text not null references quote,
    version         integer not null,
    role            text not null,
    percent         numeric not null,
    discount        numeric not null,
    currency        text not null,
    body            jsonb not null,
    asked_at        timestamptz not null,
    due_at          timestamptz not null,
    decision        text check (decision in ('approved', 'rejected', 'timed_out', 'withdrawn')),
    decided_at      timestamptz,
    decided_by      text,
    decided_role    text,
    reason          text not null default '',
    primary key (quote_id, version),
    check ((decision is null) = (decided_at is null))
);
create index quote_approval_open on quote_approval (due_at) where decision is null;

-- A contract on paper: drafted with a quote, signed, in force, run out. Facts of its own, as a draft is no contract yet.

create table contract_event (
    contract_id     text not null,
    account_id      text not null references account,
    status          text not null check (status in ('drafted', 'signed', 'active', 'expired', 'withdrawn')),
    at              timestamptz not null,
    quote_id        text,
    quote_version   integer,
    recorded_at     timestamptz not null,
    primary key (contract_id, status, at)
);
create index contract_event_of_account on contract_event (account_id, contract_id);

alter table contract add column billing text not null default 'yearly'
    check (billing in ('monthly', 'quarterly', 'yearly', 'whole_term'));

-- Bundles: a child's quantity is constant, or follows its parent's.

create table asset_relationship (
    parent_id           text not null references asset,
    child_id            text not null references asset,
    role                text not null,
    child_quantity      text not null check (child_quantity in ('Constant', 'Proportional')),
    ratio               numeric not null,
    included_in_price   boolean not null,
    primary key (parent_id, child_id)
);
create index asset_relationship_of_child on asset_relationship (child_id);

-- Fulfilment of order lines, event by event.

create table fulfilment_event (
    order_id        text not null,
    line_id         text not null,
    event_id        text not null,
    step            text not null check (step in ('ordered', 'shipped', 'delivered', 'installed', 'returned')),
    quantity        integer not null check (quantity > 0),
    at              timestamptz not null,
    promised_at     timestamptz,
    reported_by     text not null,
    recorded_at     timestamptz not null,
    number          bigint generated always as identity,
    primary key (order_id, line_id, event_id),
    foreign key (order_id, line_id) references order_line
);

-- Invoices and credit memos, never changed once written. A line's `lot` and `period` say which part of an asset's
-- schedule it charges or gives back; `scheduled` is what it changes of the schedule, which a capped credit may exceed.

create table invoice (
    invoice_id      text primary key,
    account_id      text not null references account,
    number          integer not null,
    key             text not null unique,
    currency        text not null,
    total           numeric not null check (total >= 0),
    issued_at       timestamptz not null,
    issued_on       date not null,
    unique (account_id, number)
);

create table invoice_line (
    invoice_id      text not null references invoice,
    number          integer not null,
    kind            text not null check (kind in ('charge', 'purchase', 'usage')),
    asset_id        text references asset,
    order_id        text,
    line_id         text,
    lot             integer,
    period          date,
    due             date not null,
    quantity        integer,
    description     text not null,
    amount          numeric not null check (amount > 0),
    scheduled       numeric not null,
    primary key (invoice_id, number),
    foreign key (order_id, line_id) references order_line,
    check (asset_id is not null and lot is not null and period is not null or order_id is not null and line_id is not null)
);
create index invoice_line_of_asset on invoice_line (asset_id, lot, period);
create index invoice_line_of_order_line on invoice_line (order_id, line_id);

create table credit_memo (
    credit_memo_id  text primary key,
    account_id      text not null references account,
    number          integer not null,
    key             text not null unique,
    currency        text not null,
    total           numeric not null check (total >= 0),
    reason          text not null,
    issued_at       timestamptz not null,
    issued_on       date not null,
    unique (account_id, number)
);

create table credit_memo_line (
    credit_memo_id  text not null references credit_memo,
    number          integer not null,
    key             text not null unique,
    kind            text not null,
    asset_id        text references asset,
    order_id        text,
    line_id         text,
    lot             integer,
    period          date,
    due             date not null,
    quantity        integer,
    description     text not null,
    amount          numeric not null check (amount >= 0),
    scheduled       numeric not null default 0,
    primary key (credit_memo_id, number),
    foreign key (order_id, line_id) references order_line
);
create index credit_memo_line_of_asset on credit_memo_line (asset_id, lot, period);
create index credit_memo_line_of_order_line on credit_memo_line (order_id, line_id);

-- What was billed elsewhere before an asset came to us: charged, and not ours to invoice.

create table billed_elsewhere (
    asset_id        text not null references asset,
    lot             integer not null,
    period          date not null,
    amount          numeric not null,
    recorded_at     timestamptz not null,
    primary key (asset_id, lot, period)
);

-- Webhooks and conveyances leave through the outbox as well.

alter table outbox drop constraint outbox_channel_check;
alter table outbox add constraint outbox_channel_check
    check (channel in ('deliver_mail', 'deliver_notice', 'provision', 'deliver_webhook', 'convey_assets'));

-- migrate:down

alter table outbox drop constraint outbox_channel_check;
alter table outbox add constraint outbox_channel_check check (channel in ('deliver_mail', 'deliver_notice', 'provision'));
drop table billed_elsewhere, credit_memo_line, credit_memo, invoice_line, invoice, fulfilment_event;
alter table contract drop column billing;
drop table asset_relationship, contract_event, quote_approval, quote_event, quote_version, quote, price_entry, price_book, catalogue_product;
