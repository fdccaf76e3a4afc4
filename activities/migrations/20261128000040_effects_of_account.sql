-- migrate:up

-- The effects of one customer: what an agenda is derived from, and compared with.

create index effect_of_account on effect (account_id, as_of);

-- migrate:down

drop index effect_of_account;
