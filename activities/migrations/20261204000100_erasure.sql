-- migrate:up

-- Whom we have erased: by ids alone, with what proves it. What is on record here keeps names from coming back.
create table erasure (
    erasure_id      text primary key,
    account_id      text not null references account,
    contact_id      text,           -- null: the customer as a whole
    at              timestamptz not null,
    by              text not null,
    words           jsonb not null, -- digests of what named them, by a key of ours
    cells           jsonb not null, -- how many were erased, by table and column
    runs            jsonb not null default '[]',
    over_at         timestamptz,    -- the engine has forgotten them, too
    certificate     jsonb,
    unique nulls not distinct (account_id, contact_id)
);
create index erasure_not_over on erasure (at) where over_at is null;

create function keep_erased_contact() returns trigger language plpgsql as $$
begin
    if exists (select from erasure e where e.account_id = new.account_id and (e.contact_id is null or e.contact_id = new.contact_id)) then
        new.name := 'erased';
        new.email := 'erased';
        new.phone := null;
        new.phone_number := null;
    end if;
    return new;
end
$$;

create function keep_erased_account() returns trigger language plpgsql as $$
begin
    if exists (select from erasure e where e.account_id = new.account_id and e.contact_id is null) then
        new.name := 'erased';
    end if;
    return new;
end
$$;

create trigger contact_erased before insert or update on contact for each row execute function keep_erased_contact();
create trigger account_erased before update of name on account for each row execute function keep_erased_account();

-- migrate:down

drop trigger account_erased on account;
drop trigger contact_erased on contact;
drop function keep_erased_account;
drop function keep_erased_contact;
drop table erasure;
