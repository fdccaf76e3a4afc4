-- migrate:up

-- When whoever has to call an unhappy customer was reminded, and when it went to somebody else.

alter table staff_task add column reminded_at timestamptz;
alter table staff_task add column escalated_at timestamptz;

-- migrate:down

alter table staff_task drop column escalated_at;
alter table staff_task drop column reminded_at;
