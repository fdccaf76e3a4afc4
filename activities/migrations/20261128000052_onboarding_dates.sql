-- migrate:up

-- Where an onboarding task stands: whom it waits for, and whether what came due was held because something else has to come first.
-- over: what was sold has ended, or the journey was closed; nothing of it begins again.
-- turn: how often its date was set anew since it was promised; its steps have that number, so that each turn has its own.

alter table onboarding_task
    add column turn integer not null default 0,
    add column dated_at timestamptz,
    add column invited_at timestamptz,
    add column held_at timestamptz,
    add column waits_for text check (waits_for in ('customer', 'us')),
    add column waits_since timestamptz,
    add column waits_why text not null default '',
    add column blocks integer not null default 0,
    add column over boolean not null default false,
    add check ((waits_for is null) = (waits_since is null));

update onboarding_task t set invited_at = e.as_of from effect e
    where e.key = 'journey:' || t.account_id || '/' || t.stage || '/' || t.name || '-invite';

-- What became of it, in order: nothing of this is lost when it is opened again.

create table onboarding_event (
    event_id        bigint generated always as identity primary key,
    account_id      text not null references account,
    stage           text not null,
    name            text not null,
    at              timestamptz not null,
    kind            text not null check (kind in ('done', 'reopened', 'blocked', 'unblocked', 'moved')),
    actor           text not null,
    reason          text not null default '',
    waits_for       text check (waits_for in ('customer', 'us')),
    due_on          date,
    was_due_on      date
);
create index onboarding_event_of_task on onboarding_event (account_id, stage, name, event_id);

-- migrate:down

drop table onboarding_event;
alter table onboarding_task
    drop column turn, drop column dated_at, drop column invited_at, drop column held_at, drop column waits_for,
    drop column waits_since, drop column waits_why, drop column blocks, drop column over;
