-- migrate:up

-- The keys by which mails are signed: the newest one signs, every one that is not retired verifies. The first one is made
-- here; 32 random bytes each.

create table signing_key (
    number      integer generated always as identity primary key check (number between 1 and 65535),
    secret      bytea not null check (octet_length(secret) = 32),
    made_at     timestamptz,
    retired_at  timestamptz
);
insert into signing_key (secret)
    select sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));

-- A signed address names its mail by a digest of the delivery's id, which is the same however often it is sent.

create function delivery_digest(delivery_id text) returns bytea language sql immutable strict parallel safe as
    $$ select substr(sha256(convert_to(delivery_id, 'UTF8')), 1, 16) $$;
create index outbox_by_digest on outbox (delivery_digest(delivery_id)) where channel = 'deliver_mail';

-- migrate:down

drop index outbox_by_digest;
drop function delivery_digest(text);
drop table signing_key;
