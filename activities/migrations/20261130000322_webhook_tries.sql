-- migrate:up

-- Attempts to tell other systems of an event that did not settle it, redeliveries, and whether the endpoint is given up.

create table webhook_try (
    try_id          bigint generated always as identity primary key,
    delivery_id     text not null references outbox on delete cascade,
    at              timestamptz not null,
    by              text not null,
    taken           boolean not null,
    said            text not null
);
create index webhook_try_of_delivery on webhook_try (delivery_id, try_id);

create table webhook_endpoint (
    url             text primary key,
    failing_since   timestamptz,
    disabled_at     timestamptz,
    why             text not null default ''
);

create index outbox_webhooks on outbox (created_at, delivery_id) where channel = 'deliver_webhook';
create index outbox_webhook_by_digest on outbox (delivery_digest(delivery_id)) where channel = 'deliver_webhook';

-- migrate:down

drop index outbox_webhook_by_digest;
drop index outbox_webhooks;
drop table webhook_endpoint;
drop table webhook_try;
