-- migrate:up

-- Our people answer a notice about a case: its signed address says which one it is.

create index outbox_notice_by_digest on outbox (delivery_digest(delivery_id))
    where channel = 'deliver_notice' and body->>'case_id' is not null;

-- migrate:down

drop index outbox_notice_by_digest;
