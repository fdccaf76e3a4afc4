-- migrate:up

-- Whoever the seller is: catalogue, people, playbooks.

create table product (
    code        text primary key,
    name        text not null,
    kind        text not null check (kind in ('subscription', 'support', 'device', 'goods', 'service'))
);

create table staff (
    staff_id    text primary key,
    name        text not null,
    email       text not null
);

create table playbook (
    segment     text not null,
    version     integer not null,
    body        jsonb not null,
    primary key (segment, version)
);

-- The customer.

create table account (
    account_id          text primary key,
    name                text not null,
    country             text not null,
    time_zone           text not null,
    language            text not null,
    segment             text not null,
    playbook_version    integer not null,
    owner_id            text not null references staff,
    success_manager_id  text not null references staff,
    since               timestamptz not null,
    recorded_at         timestamptz not null,
    first_value_at      timestamptz,
    closed_at           timestamptz,
    closed_reason       text,
    foreign key (segment, playbook_version) references playbook (segment, version)
);

create table contact (
    account_id      text not null references account,
    contact_id      text not null,
    position        integer not null,
    name            text not null,
    email           text not null,
    role            text not null,
    language        text not null,
    time_zone       text not null,
    rejected_at     timestamptz,
    rejected_reason text,
    primary key (account_id, contact_id)
);

-- What was sold.

create table sales_order (
    order_id        text primary key,
    account_id      text not null references account,
    digest          text not null,
    activated_at    timestamptz not null,
    activated_on    date not null,
    currency        text not null,
    sells_goods     boolean not null,
    imported        boolean not null,
    recorded_at     timestamptz not null
);
create index sales_order_of_account on sales_order (account_id, activated_at);

create table order_line (
    order_id        text not null references sales_order,
    line_id         text not null,
    product_code    text not null references product,
    contract_id     text,
    site            text,
    quantity        integer not null check (quantity > 0),
    unit_price      numeric not null check (unit_price >= 0),
    price_per       text not null check (price_per in ('month', 'year', 'once')),
    primary key (order_id, line_id)
);

create table contract (
    contract_id     text primary key,
    account_id      text not null references account,
    order_id        text not null references sales_order,
    currency        text not null,
    auto_renew      boolean not null,
    renewal_months  integer not null,
    notice_days     integer not null,
    uplift_percent  numeric not null,
    status          text not null check (status in ('active', 'declined', 'grace', 'ended')),
    status_reason   text not null default '',
    status_at       timestamptz not null
);
create index contract_of_account on contract (account_id);

create table contract_term (
    contract_id     text not null references contract,
    number          integer not null,
    start_on        date not null,
    until           date not null,
    starts_at       timestamptz not null,
    ends_at         timestamptz not null,
    origin          text not null check (origin in ('sold', 'accepted', 'automatic')),
    recorded_at     timestamptz not null,
    primary key (contract_id, number),
    check (start_on < until and starts_at < ends_at)
);

-- Assets: actions are the facts, sources their priced lots, periods are derived from them. Unit prices of lots are for
-- one month; `unit_price` of an asset is the one of its last sale, for `price_per`.

create table asset (
    asset_id        text primary key,
    account_id      text not null references account,
    order_id        text not null references sales_order,
    line_id         text not null,
    product_code    text not null references product,
    name            text not null default '',
    contract_id     text references contract,
    parent_id       text references asset,
    currency        text not null,
    price_per       text not null check (price_per in ('month', 'year', 'once')),
    unit_price      numeric not null,
    price_book      text not null default 'standard',
    selling_model   text not null check (selling_model in ('one_time', 'termed', 'evergreen', 'usage')),
    pricing_source  text not null default 'last_transaction',
    renewal_pricing text not null default 'lot_by_lot',
    renewal_months  integer,
    ramped          boolean not null default false,
    derived_price   boolean not null default false,
    status          text not null default 'purchased',
    serial_number   text,
    lifecycle_start timestamptz not null,
    lifecycle_end   timestamptz,
    version         integer not null default 1,
    lock            text,
    unique (order_id, line_id)
);
create index asset_of_account on asset (account_id);

create table asset_action (
    asset_id                    text not null references asset,
    sequence                    integer not null,
    request_id                  text not null,
    category                    text not null check (category in (
        'Initial Sale', 'Upsells', 'Downsells', 'Cross-Sells', 'Renewals', 'Cancellations', 'Transfers', 'Swaps',
        'Upgrades', 'Downgrades', 'Terms And Conditions Changes', 'Other')),
    type                        text not null check (type in ('Generate', 'Change', 'Cancel', 'Convert')),
    subtype                     text,
    effective                   timestamptz not null,
    recorded_at                 timestamptz,
    cuts                        timestamptz[] not null,
    clears_from                 timestamptz,
    lifecycle_start             timestamptz not null,
    lifecycle_end               timestamptz,
    attributes                  jsonb not null,
    quantity_change             integer not null,
    mrr_change                  numeric,
    product_amount_change       numeric,
    adjustment_amount_change    numeric,
    amount_change               numeric,
    undoes                      integer,
    can_roll_back               boolean not null,
    related_asset               text,
    order_id                    text,
    primary key (asset_id, sequence),
    unique (asset_id, request_id)
);

create table asset_action_source (
    asset_id        text not null,
    sequence        integer not null,
    number          integer not null,
    lot             integer not null,
    starts_at       timestamptz not null,
    ends_at         timestamptz,
    quantity        integer not null,
    unit_price      numeric,
    list_price      numeric,
    reference       text,
    product_amount  numeric,
    primary key (asset_id, sequence, number),
    foreign key (asset_id, sequence) references asset_action,
    check (ends_at is null or starts_at < ends_at)
);

create extension if not exists btree_gist;

create table asset_state_period (
    asset_id        text not null references asset,
    starts_at       timestamptz not null,
    ends_at         timestamptz,
    quantity        integer not null check (quantity >= 0),
    mrr             numeric,
    amount          numeric,
    attributes      jsonb not null default '{}',
    primary key (asset_id, starts_at),
    check (ends_at is null or starts_at < ends_at),
    constraint asset_state_period_no_overlap
        exclude using gist (asset_id with =, tstzrange(starts_at, ends_at) with &&) deferrable initially immediate
);

-- The life after the sale.

create table onboarding_task (
    account_id      text not null references account,
    stage           text not null,
    name            text not null,
    title           jsonb not null,
    owner           text not null,
    due_on          date not null,
    due_at          timestamptz not null,
    status          text not null check (status in ('open', 'done', 'past')),
    completed_at    timestamptz,
    completed_by    text,
    evidence        text not null default '',
    primary key (account_id, stage, name)
);

create table staff_task (
    account_id      text not null references account,
    key             text not null,
    opened_at       timestamptz not null,
    title           text not null,
    staff_id        text not null references staff,
    due_at          timestamptz not null,
    closed_at       timestamptz,
    primary key (account_id, key, opened_at)
);
create unique index staff_task_open_once on staff_task (account_id, key) where closed_at is null;

create table usage_day (
    account_id      text not null references account,
    product_code    text not null references product,
    day             date not null,
    active_users    integer not null check (active_users >= 0),
    primary key (account_id, product_code, day)
);

create table health_score (
    account_id      text not null references account,
    at              timestamptz not null,
    score           integer check (score between 0 and 100),
    band            text not null check (band in ('critical', 'watch', 'healthy', 'unknown')),
    parts           jsonb not null,
    primary key (account_id, at)
);

create table renewal_quote (
    quote_id        text primary key,
    contract_id     text not null references contract,
    term            integer not null,
    currency        text not null,
    total           numeric not null,
    valid_until     date not null,
    lines           jsonb not null,
    quoted_at       timestamptz not null
);

create table offer (
    offer_id        text primary key,
    account_id      text not null references account,
    asset_id        text not null references asset,
    add_quantity    integer not null check (add_quantity > 0),
    unit_price      numeric not null,
    currency        text not null,
    mrr_change      numeric not null,
    status          text not null check (status in ('open', 'accepted', 'declined', 'expired')),
    offered_at      timestamptz not null,
    expires_at      timestamptz not null,
    settled_at      timestamptz,
    reason          text not null default ''
);
create index offer_of_account on offer (account_id, offered_at);

create table survey (
    survey_id       text primary key,
    account_id      text not null references account,
    kind            text not null,
    sent_at         timestamptz not null,
    score           integer,
    comment         text,
    answered_at     timestamptz
);
create index survey_of_account on survey (account_id, sent_at);

-- What happened, what was done, and what is on its way out.

create table effect (
    key             text primary key,
    account_id      text not null,
    run             text not null,
    as_of           timestamptz not null,
    outcome         jsonb not null
);

create table journal (
    journal_id      bigint generated always as identity primary key,
    account_id      text not null,
    key             text not null unique,
    at              timestamptz not null,
    stage           text not null,
    kind            text not null,
    title           text not null,
    detail          jsonb not null
);
create index journal_of_account on journal (account_id, at, journal_id);

create table outbox (
    delivery_id     text primary key,
    account_id      text not null references account,
    channel         text not null check (channel in ('deliver_mail', 'deliver_notice', 'provision')),
    stage           text not null,
    contact_id      text,
    staff_id        text,
    body            jsonb not null,
    created_at      timestamptz not null,
    status          text not null default 'waiting' check (status in ('waiting', 'sent', 'rejected')),
    settled_at      timestamptz,
    message_id      text,
    reason          text
);
create index outbox_of_account on outbox (account_id, created_at);
create index outbox_waiting on outbox (created_at) where status = 'waiting';

-- migrate:down

drop table outbox, journal, effect, survey, offer, renewal_quote, health_score, usage_day, staff_task, onboarding_task,
    asset_state_period, asset_action_source, asset_action, asset, contract_term, contract, order_line, sales_order,
    contact, account, playbook, staff, product;
drop extension btree_gist;
