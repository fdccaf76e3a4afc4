-- migrate:up

-- Since when the target of a promise counts, where another priority or policy set it later than the promise's start.
alter table case_milestone add column counted_from timestamptz;

-- migrate:down

alter table case_milestone drop column counted_from;
