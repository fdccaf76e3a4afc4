-- migrate:up

-- When the owner was last reminded of a case that goes on holding sales back.

alter table sales_hold add column reminded_at timestamptz;

-- migrate:down

alter table sales_hold drop column reminded_at;
