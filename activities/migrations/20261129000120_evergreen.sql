-- migrate:up

-- A contract without an end goes on from period to period until somebody gives notice; its term ends on 2999-12-31 until then.

alter table contract add column evergreen text check (evergreen in ('monthly', 'yearly'));

-- migrate:down

alter table contract drop column evergreen;
