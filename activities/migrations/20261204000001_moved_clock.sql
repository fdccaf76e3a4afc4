-- migrate:up

-- Only a rehearsal moves a customer's clock. Who asks the facts alone learns here whether the present is the customer's own.

alter table account add column clock_moved boolean not null default false;

-- migrate:down

alter table account drop column clock_moved;
