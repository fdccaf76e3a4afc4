-- migrate:up

-- Whom one of our people reports to: who approves of what goes beyond them, and hears of what they leave undone.

alter table staff add column manager_id text references staff;

-- migrate:down

alter table staff drop column manager_id;
