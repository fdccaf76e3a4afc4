-- migrate:up

-- What a person is asked to do says why, and what became of it. `snoozed_until`: silent until then. `escalated_to`: who heard that it
-- is late. Once it is over, `ended` says how, `ended_by` by whom, `outcome` what came of it in words.

alter table staff_task add column task_id text not null default left(md5(gen_random_uuid()::text), 16);
alter table staff_task add column reason text not null default 'no reason is on record';
alter table staff_task add column snoozed_until timestamptz;
alter table staff_task add column escalated_to text references staff;
alter table staff_task add column ended text check (ended in ('done', 'taken_back'));
alter table staff_task add column ended_by text;
alter table staff_task add column outcome text not null default '';

update staff_task set reason = title where title <> '';
create unique index staff_task_id on staff_task (task_id);
create index staff_task_of_staff on staff_task (staff_id, due_at) where closed_at is null;

-- Nothing is asked of a person without a day, nor without a reason.

alter table staff_task add constraint staff_task_says_why check (reason <> '');
alter table staff_task add constraint staff_task_has_a_day check (isfinite(due_at));
alter table staff_task add constraint staff_task_ended check (ended is null or closed_at is not null);

-- migrate:down

alter table staff_task drop constraint staff_task_ended;
alter table staff_task drop constraint staff_task_has_a_day;
alter table staff_task drop constraint staff_task_says_why;
drop index staff_task_of_staff;
drop index staff_task_id;
alter table staff_task drop column outcome;
alter table staff_task drop column ended_by;
alter table staff_task drop column ended;
alter table staff_task drop column escalated_to;
alter table staff_task drop column snoozed_until;
alter table staff_task drop column reason;
alter table staff_task drop column task_id;
