-- migrate:up

-- Who comes in by the gateway: keys of services, what our people may, what was asked by whom, and answers that are given again.

create table api_key (
    key_id          text primary key,
    name            text not null,
    digest          bytea not null,
    roles           text[] not null,
    titles          text[] not null,
    scopes          text[] not null,
    made_at         timestamptz not null,
    made_by         text not null,
    expires_at      timestamptz,
    revoked_at      timestamptz,
    used_at         timestamptz
);
comment on column api_key.digest is 'SHA-256 of the secret, which is kept nowhere';

create table staff_access (
    staff_id        text primary key references staff,
    roles           text[] not null,
    titles          text[] not null,
    own_only        boolean not null,
    subject         text unique,
    granted_at      timestamptz not null,
    granted_by      text not null
);
comment on column staff_access.subject is 'who they are for the identity provider: issuer and subject';

create table audit_entry (
    audit_id        bigint generated always as identity primary key,
    at              timestamptz not null,
    actor           text not null,
    door            text not null,
    operation       text not null,
    subject         text not null,
    request_id      text not null,
    reason          text not null,
    outcome         text,
    settled_at      timestamptz
);
create index audit_entry_of_subject on audit_entry (subject, audit_id);
create index audit_entry_of_actor on audit_entry (actor, audit_id);
comment on column audit_entry.subject is 'what was asked: account/C-17, case/S-3 or the name of a thing';
comment on column audit_entry.outcome is 'done, the name of a refusal, or open while nobody answered';

create table kept_answer (
    actor           text not null,
    key             text not null,
    digest          bytea not null,
    status          smallint not null,
    body            text not null,
    kept_at         timestamptz not null,
    primary key (actor, key)
);
create index kept_answer_kept_at on kept_answer (kept_at);

-- migrate:down

drop table kept_answer;
drop table audit_entry;
drop table staff_access;
drop table api_key;
