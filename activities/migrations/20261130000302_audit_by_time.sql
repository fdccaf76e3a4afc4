-- migrate:up

-- Old lines of the audit log are found by their time, in which they lie.
create index audit_entry_at on audit_entry using brin (at);

-- migrate:down

drop index audit_entry_at;
