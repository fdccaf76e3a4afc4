-- migrate:up

-- An Idempotency-Key belongs to the call that came first under it, from before anything is done on.

create table claimed_key (
    actor           text not null,
    key             text not null,
    digest          bytea not null,
    claimed_at      timestamptz not null,
    primary key (actor, key)
);
create index claimed_key_claimed_at on claimed_key (claimed_at);
comment on column claimed_key.digest is 'that of what was asked; the same call goes on under the key, another one is refused';

-- migrate:down

drop table claimed_key;
