-- migrate:up

-- Events of foreign systems: who sends them, by which secrets, what came, what became of it, and whose foreign ids are whose.

create table event_source (
    source          text primary key,
    mapping         text not null,
    url             text,
    made_at         timestamptz not null,
    made_by         text not null,
    stopped_at      timestamptz
);
comment on column event_source.mapping is 'the mapping file as it was read: YAML';
comment on column event_source.url is 'the address as the source calls it, where its signature covers that';

create table event_secret (
    source          text not null references event_source,
    number          integer generated always as identity,
    secret          text not null,
    made_at         timestamptz not null,
    made_by         text not null,
    expires_at      timestamptz,
    primary key (source, number)
);

create table event_link (
    source          text not null references event_source,
    foreign_id      text not null,
    account_id      text not null,
    made_at         timestamptz not null,
    made_by         text not null,
    primary key (source, foreign_id)
);

create table inbound_event (
    event_id        text primary key,
    source          text not null references event_source,
    foreign_id      text not null,
    headers         jsonb not null,
    body            bytea not null,
    mended          bytea,
    received_at     timestamptz not null,
    status          text not null default 'new'
                    check (status in ('new', 'waiting', 'done', 'ignored', 'failed', 'discarded')),
    attempts        integer not null default 0,
    try_at          timestamptz not null,
    reason          text not null default '',
    account_id      text,
    settled_at      timestamptz,
    settled_by      text,
    unique (source, foreign_id)
);
create index inbound_event_to_try on inbound_event (try_at, event_id) where status in ('new', 'waiting');
create index inbound_event_for_people on inbound_event (received_at, event_id) where status in ('waiting', 'failed');
create index inbound_event_waits_for on inbound_event (account_id) where status = 'waiting';
create index inbound_event_settled on inbound_event (settled_at) where status in ('done', 'ignored', 'discarded');
comment on column inbound_event.mended is 'the body as a person has corrected it';
comment on column inbound_event.account_id is 'whose it is, or for whom it waits';

-- What an event has done: once, in whichever delivery it comes again.

create table inbound_effect (
    source          text not null,
    item_id         text not null,
    rule            text not null,
    event_id        text not null references inbound_event on delete cascade,
    operation       text not null,
    subject         text not null,
    done_at         timestamptz not null,
    primary key (source, item_id, rule)
);
create index inbound_effect_of_event on inbound_effect (event_id);

-- migrate:down

drop table inbound_effect;
drop table inbound_event;
drop table event_link;
drop table event_secret;
drop table event_source;
