-- migrate:up

-- Who is signed in to the console: each browser by a random id, of which only the digest is kept.

create table console_session (
    digest          bytea primary key,
    staff_id        text not null references staff,
    begun_at        timestamptz not null,
    used_at         timestamptz not null
);
create index console_session_of_staff on console_session (staff_id);
comment on column console_session.digest is 'SHA-256 of the id in the cookie, which is kept nowhere';

-- migrate:down

drop table console_session;
