-- migrate:up

-- Why sales is held back. Rows with a case or a survey as `source` follow from the facts and are kept for the record;
-- manual ones are facts themselves. At most one row per source and reason is live.

create table sales_hold (
    hold_id         text primary key,
    account_id      text not null references account,
    scope           text not null check (scope in ('customer', 'product')),
    product_code    text,
    level           text not null check (level in ('warn', 'block')),
    reason          text not null,
    source          text not null,
    case_id         text references service_case,
    says            text not null,
    since           timestamptz not null,
    review_at       timestamptz,
    placed_by       text,
    lifted_at       timestamptz,
    lifted_by       text,
    recorded_at     timestamptz not null,
    check ((scope = 'product') = (product_code is not null))
);
create unique index sales_hold_live on sales_hold (account_id, source, reason) where lifted_at is null;
create index sales_hold_of_account on sales_hold (account_id, since);

-- A named person reached the customer in spite of a hold; `used` counts the messages that left because of it.

create table hold_override (
    override_id     text primary key,
    account_id      text not null references account,
    case_ids        text[] not null,
    by              text not null,
    role            text not null,
    reason          text not null,
    since           timestamptz not null,
    until           timestamptz not null,
    used            integer not null default 0,
    check (since < until)
);
create index hold_override_of_account on hold_override (account_id, until);

-- Who has read what service knows. `source` is the case, survey or manual hold.

create table hold_acknowledgement (
    account_id      text not null references account,
    source          text not null,
    by              text not null,
    at              timestamptz not null,
    primary key (account_id, source, by)
);

-- The owner of a case, or a manager, says whether a renewal may be talked about while the case is open.

create table renewal_release (
    release_id      text primary key,
    account_id      text not null references account,
    case_id         text not null references service_case,
    by              text not null,
    role            text not null,
    released        boolean not null,
    reason          text not null default '',
    at              timestamptz not null
);
create index renewal_release_of_account on renewal_release (account_id, case_id, at);

-- Steps of a journey that wait for a hold to be lifted; `step` is planned again then.

create table held_step (
    account_id      text not null references account,
    key             text not null,
    purpose         text not null,
    product_code    text,
    step            jsonb not null,
    held_at         timestamptz not null,
    primary key (account_id, key)
);

-- Which of the seller's people saw a case, and when they were told that it is resolved.

create table case_seen (
    case_id         text not null references service_case,
    staff_id        text not null references staff,
    account_id      text not null references account,
    at              timestamptz not null,
    told_at         timestamptz,
    primary key (case_id, staff_id)
);
create index case_seen_untold on case_seen (account_id) where told_at is null;

-- Leads that service found. `sourced_by` and `closed_by` are credited apart.

create table lead (
    lead_id         text primary key,
    account_id      text not null references account,
    contact_id      text not null,
    product_code    text not null references product,
    motion          text not null check (motion in ('seats', 'tier', 'add_on', 'cross_sell')),
    evidence        text not null,
    case_id         text references service_case,
    urgency         text not null check (urgency in ('high', 'medium', 'low')),
    consent         boolean not null,
    status          text not null check (status in ('held', 'routed', 'overdue', 'attached', 'accepted', 'rejected',
                        'won', 'lost', 'withdrawn')),
    sourced_by      text not null,
    filed_at        timestamptz not null,
    routed_to       text references staff,
    routed_at       timestamptz,
    due_at          timestamptz,
    rerouted        integer not null default 0,
    answered_at     timestamptz,
    answered_by     text,
    reason          text not null default '',
    closed_at       timestamptz,
    closed_by       text,
    order_id        text,
    offer_id        text,
    warned_at       timestamptz
);
create index lead_of_account on lead (account_id, filed_at);

-- What a message is for is asked at the moment of sending; a held one waits until the holds allow it.

alter table outbox add column purpose text;
alter table outbox add column product_code text;
alter table outbox add column cleared_at timestamptz;
alter table outbox drop constraint outbox_status_check;
alter table outbox add constraint outbox_status_check
    check (status in ('waiting', 'sent', 'rejected', 'withdrawn', 'held'));
create index outbox_held on outbox (account_id) where status = 'held';

create index service_case_at_work on service_case (account_id) where status not in ('closed', 'merged', 'cancelled');
create index service_case_ended_lately on service_case (account_id, resolved_at) where resolved_at is not null;

-- Whoever sends decides under a lock on the account's row; so does whatever can raise a hold. A mail is decided either
-- before the case is on record, or sees it.

create function lock_account_of_case() returns trigger language plpgsql as $$
begin
    perform 1 from account where account_id = new.account_id for no key update;
    return new;
end
$$;
create trigger service_case_locks_account before insert or update on service_case
    for each row when (new.account_id is not null and new.status not in ('closed', 'merged', 'cancelled'))
    execute function lock_account_of_case();

create function lock_account_of_milestone() returns trigger language plpgsql as $$
begin
    perform 1 from account
    where account_id = (select c.account_id from service_case c where c.case_id = new.case_id)
    for no key update;
    return new;
end
$$;
create trigger case_milestone_locks_account before insert or update on case_milestone
    for each row when (new.kind = 'resolution' and new.violated_at is not null)
    execute function lock_account_of_milestone();

-- migrate:down

drop trigger case_milestone_locks_account on case_milestone;
drop function lock_account_of_milestone;
drop trigger service_case_locks_account on service_case;
drop function lock_account_of_case;
drop index service_case_ended_lately, service_case_at_work, outbox_held;
alter table outbox drop constraint outbox_status_check;
alter table outbox add constraint outbox_status_check check (status in ('waiting', 'sent', 'rejected', 'withdrawn'));
alter table outbox drop column cleared_at, drop column product_code, drop column purpose;
drop table lead, case_seen, held_step, renewal_release, hold_acknowledgement, hold_override, sales_hold;
