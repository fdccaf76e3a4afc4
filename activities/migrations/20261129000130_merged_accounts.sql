-- migrate:up

-- An account that goes on as part of another.

alter table account add column merged_into text references account;
create index account_merged_into on account (merged_into) where merged_into is not null;

-- migrate:down

alter table account drop column merged_into;
