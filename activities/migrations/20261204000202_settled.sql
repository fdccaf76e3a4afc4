-- migrate:up transaction:false

-- As figures.sql says, of a table that is written all the time: whoever writes does not wait. One statement, or the server takes all for a transaction.
create index concurrently outbox_settled on outbox (settled_at) where status in ('sent', 'rejected', 'withdrawn');

-- migrate:down

drop index outbox_settled;
