-- migrate:up

-- Signing in by OpenID Connect: what a session brings along from the provider, and the sign-ins that are under way.

alter table console_session
    add column roles text[],
    add column id_token text;
comment on column console_session.roles is 'those of the groups that the provider told at sign-in; null where groups give no roles';
comment on column console_session.id_token is 'what the provider is shown when somebody signs out; it lets nobody in';

create table console_sign_in (
    digest          bytea primary key,
    back            text not null,
    begun_at        timestamptz not null
);
create index console_sign_in_begun_at on console_sign_in (begun_at);
comment on column console_sign_in.digest is 'SHA-256 of the state and of the browser''s secret, which are kept nowhere';
comment on column console_sign_in.back is 'the page that somebody came for';

-- migrate:down

drop table console_sign_in;
alter table console_session
    drop column roles,
    drop column id_token;
