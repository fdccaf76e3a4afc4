-- migrate:up

-- Foreign keys by which something is looked for: quotes of a contract's terms, assets of a contract, cases below another one or merged into it, and what
-- our people look after.
create index renewal_quote_of_term on renewal_quote (contract_id, term);
create index asset_of_contract on asset (contract_id) where contract_id is not null;
create index case_below on service_case (parent_id) where parent_id is not null;
create index case_merged on service_case (merged_into) where merged_into is not null;
create index account_of_owner on account (owner_id);
create index account_of_success_manager on account (success_manager_id);

-- What is forgotten after a time: events that have left, and old usage.
create index event_left on outbox (settled_at) where channel = 'deliver_webhook';
create index usage_by_day on usage_day using brin (day);

-- migrate:down

drop index usage_by_day;
drop index event_left;
drop index account_of_success_manager;
drop index account_of_owner;
drop index case_merged;
drop index case_below;
drop index asset_of_contract;
drop index renewal_quote_of_term;
