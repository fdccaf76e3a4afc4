-- migrate:up

-- A request's id means one request, whatever kind it is of: `under` is the journey or case with the id, without the kind.
-- Who holds the accounts finds what was done under the key or, failing that, what else the id was used for, in one statement.

alter table effect add column under text;
update effect set under = regexp_replace(key, '^([^/]*/)[^/:]*:(.*)$', '\1\2') where asked is not null;
create index effect_under on effect (under) where under is not null;

create function effect_holding(wanted text, accounts text[], same_id text)
returns table (key text, run text, outcome jsonb, asked text) language plpgsql volatile as $$
begin
    perform 1 from account a where a.account_id = any(accounts) order by a.account_id for no key update;
    return query select e.key, e.run, e.outcome, e.asked from effect e where e.key = wanted;
    if not found and same_id is not null then
        return query select e.key, e.run, e.outcome, e.asked from effect e where e.under = same_id limit 1;
    end if;
end
$$;

-- migrate:down

drop function effect_holding(text, text[], text);
drop index effect_under;
alter table effect drop column under;
