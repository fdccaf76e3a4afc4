-- migrate:up

-- The day up to which the customer was invoiced where they were before they moved; null: they have not. Who moves west lives that
-- day twice, and what was charged or credited on it stays so.

alter table account add column billed_until date;

-- migrate:down

alter table account drop column billed_until;
