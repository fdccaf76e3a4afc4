-- migrate:up

-- Who decides on a customer's money holds the account from the first read. A statement that takes the lock itself sees what was so
-- before it had it; by the snapshot that is current once it has, it knows whether anything has become otherwise since.

create function hold_accounts(accounts text[]) returns text language plpgsql volatile as $$
begin
    perform 1 from account a where a.account_id = any(accounts) order by a.account_id for no key update;
    return pg_current_snapshot()::text;
end
$$;

-- migrate:down

drop function hold_accounts(text[]);
