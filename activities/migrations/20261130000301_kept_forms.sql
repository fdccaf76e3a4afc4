-- migrate:up

-- What somebody had typed when their session ended: kept for them, in their browser, until they have signed in again.

create table console_form (
    digest          bytea primary key,
    staff_id        text not null references staff,
    begun_at        timestamptz not null
);
create index console_form_begun_at on console_form (begun_at);
comment on column console_form.digest is 'SHA-256 of the token that the forms of one session carry';

create table console_draft (
    digest          bytea primary key,
    staff_id        text not null references staff,
    path            text not null,
    fields          jsonb not null,
    kept_at         timestamptz not null
);
create index console_draft_kept_at on console_draft (kept_at);
comment on column console_draft.digest is 'SHA-256 of the id in a cookie, which is kept nowhere';

-- migrate:down

drop table console_draft;
drop table console_form;
