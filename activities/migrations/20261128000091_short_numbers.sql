-- migrate:up

-- What a person types for a contract, a quote or an offer whose own id is long: K-1, Q-7, O-3, counted for each customer.
-- A number stays with its thing. It is given up only where something of the customer's came to be called the same: then the
-- thing gets the next one, and the old one, which stands in mails, means neither for certain.

create table short_number (
    account_id  text not null references account,
    kind        text not null check (kind in ('contract', 'quote', 'offer')),
    number      integer not null check (number > 0),
    thing_id    text not null,
    given_up    boolean not null default false,
    primary key (account_id, kind, number)
);
create unique index short_number_of_thing on short_number (account_id, kind, thing_id) where not given_up;

-- What is left of an id where case and dashes do not count, and whether anything that a customer can be asked about is itself
-- called so.

create function plain_id(id text) returns text language sql immutable parallel safe as
    $$ select regexp_replace(lower(id), '[^0-9a-z]', '', 'g') $$;

create function is_called(of_account text, called text) returns boolean language sql stable as $$
    select exists (
        select from (
            select contract_id as id from contract where account_id = of_account
            union all select quote_id from quote where account_id = of_account
            union all select offer_id from offer where account_id = of_account
            union all select q.quote_id from renewal_quote q join contract c using (contract_id) where c.account_id = of_account
        ) own
        where plain_id(own.id) = plain_id(called))
$$;

-- The numbers of things, by their kinds and ids, in that order; those that have none yet get the next ones. It holds the account,
-- so that of two who ask at once the second one finds what the first one gave.

create function short_numbers(of_account text, kinds text[], ids text[])
returns table (kind text, thing_id text, number integer) language plpgsql volatile as $$
#variable_conflict use_column
declare
    wanted record;
    given  integer;
begin
    perform 1 from account a where a.account_id = of_account for no key update;
    for wanted in
        select w.kind, w.id, translate(left(w.kind, 1), 'cqo', 'KQO') || '-' as letter
        from unnest(kinds, ids) with ordinality w (kind, id, n) order by w.n
    loop
        select s.number into given from short_number s
        where s.account_id = of_account and s.kind = wanted.kind and s.thing_id = wanted.id and not s.given_up;
        if given is not null and is_called(of_account, wanted.letter || given) then
            update short_number s set given_up = true
            where s.account_id = of_account and s.kind = wanted.kind and s.number = given;
            given := null;
        end if;
        if given is null then
            select coalesce(max(s.number), 0) + 1 into given from short_number s
            where s.account_id = of_account and s.kind = wanted.kind;
            while is_called(of_account, wanted.letter || given) loop
                given := given + 1;
            end loop;
            insert into short_number (account_id, kind, number, thing_id) values (of_account, wanted.kind, given, wanted.id);
        end if;
        return query select wanted.kind, wanted.id, given;
    end loop;
end
$$;

-- migrate:down

drop function short_numbers(text, text[], text[]);
drop function is_called(text, text);
drop function plain_id(text);
drop table short_number;
