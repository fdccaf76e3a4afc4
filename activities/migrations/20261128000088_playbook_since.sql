-- migrate:up

-- Since when a customer has the version of the playbook that they have; null: from the beginning.
alter table account add column playbook_since timestamptz;

-- migrate:down

alter table account drop column playbook_since;
