-- migrate:up

-- Customers are found by a part of anything that names them: each name, address, number and id stands here as one text, in one way of
-- writing, with its pieces of one and two letters, which an index finds in whatever language they are. Triggers of the tables that the
-- texts come from keep them, in the transaction that changes these.

create table search_entry (
    account_id      text not null references account,
    kind            text not null check (kind in ('account', 'contact', 'contract', 'order', 'case')),
    ref             text not null,
    says            text not null,
    pieces          text[] not null,
    primary key (account_id, kind, ref)
);

-- One way of writing: wide and narrow letters alike (NFKC), without case, katakana as hiragana, one space between words.

create function search_text(said text) returns text language sql immutable strict parallel safe as $$
    select btrim(regexp_replace(translate(
        casefold(normalize(said, NFKC) collate "pg_unicode_fast"),
        'ァアィイゥウェエォオカガキギクグケゲコゴサザシジスズセゼソゾタダチヂッツヅテデトドナニヌネノハバパヒビピフブプヘベペホボポマミムメモャヤュユョヨラリルレロヮワヰヱヲンヴヵヶヽヾ',
        'ぁあぃいぅうぇえぉおかがきぎくぐけげこごさざしじすずせぜそぞただちぢっつづてでとどなにぬねのはばぱひびぴふぶぷへべぺほぼぽまみむめもゃやゅゆょよらりるれろゎわゐゑをんゔゕゖゝゞ'),
        '\s+', ' ', 'g'))
$$;

create function search_pieces(said text) returns text[] language sql immutable strict parallel safe as $$
    select coalesce(array_agg(distinct piece), '{}') from (
        select substr(said, at, size) as piece from generate_series(1, length(said)) at, generate_series(1, 2) size
        where at + size - 1 <= length(said)) of_it
    where position(' ' in piece) = 0
$$;

create function keep_search(account text, what text, named text, said text) returns void language sql as $$
    insert into search_entry (account_id, kind, ref, says, pieces)
    select account, what, named, one, search_pieces(one) from search_text(said) one
    on conflict (account_id, kind, ref) do update set says = excluded.says, pieces = excluded.pieces
    where search_entry.says <> excluded.says
$$;

-- A number is found as it is dialled from anywhere, and as it was written, without what stands between its digits.

create function search_said(r contact) returns text language sql immutable as $$
    select concat_ws(' ', r.name, r.email, r.phone_number, regexp_replace(r.phone, '[^0-9]', '', 'g'))
$$;

create function keep_search_of_account() returns trigger language plpgsql as $$
begin
    perform keep_search(new.account_id, 'account', new.account_id, concat_ws(' ', new.name, new.account_id));
    return null;
end
$$;
create trigger account_search after insert or update of name on account
    for each row execute function keep_search_of_account();

create function keep_search_of_contact() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        delete from search_entry where account_id = old.account_id and kind = 'contact' and ref = old.contact_id;
    else
        perform keep_search(new.account_id, 'contact', new.contact_id, search_said(new));
    end if;
    return null;
end
$$;
create trigger contact_search after insert or delete or update of name, email, phone, phone_number on contact
    for each row execute function keep_search_of_contact();

-- Orders, contracts and cases by their ids. What goes over to another customer is found there from then on.

create function keep_search_of_id() returns trigger language plpgsql as $$
declare
    named text := to_jsonb(new) ->> tg_argv[1];
begin
    if tg_op = 'UPDATE' then
        delete from search_entry where account_id = old.account_id and kind = tg_argv[0] and ref = named;
    end if;
    if new.account_id is not null then
        perform keep_search(new.account_id, tg_argv[0], named, named);
    end if;
    return null;
end
$$;
create trigger contract_search after insert or update of account_id on contract
    for each row execute function keep_search_of_id('contract', 'contract_id');
create trigger order_search after insert or update of account_id on sales_order
    for each row execute function keep_search_of_id('order', 'order_id');
create trigger case_search after insert or update of account_id on service_case
    for each row execute function keep_search_of_id('case', 'case_id');

insert into search_entry
select account_id, kind, ref, says, search_pieces(says) from (
    select account_id, 'account' as kind, account_id as ref, search_text(concat_ws(' ', name, account_id)) as says from account
    union all select r.account_id, 'contact', r.contact_id, search_text(search_said(r)) from contact r
    union all select account_id, 'contract', contract_id, search_text(contract_id) from contract
    union all select account_id, 'order', order_id, search_text(order_id) from sales_order
    union all select account_id, 'case', case_id, search_text(case_id) from service_case where account_id is not null) found;

create index search_entry_pieces on search_entry using gin (pieces) with (fastupdate = off);

-- migrate:down

drop trigger account_search on account;
drop trigger contact_search on contact;
drop trigger contract_search on contract;
drop trigger order_search on sales_order;
drop trigger case_search on service_case;
drop function keep_search_of_account, keep_search_of_contact, keep_search_of_id, search_said, keep_search, search_pieces, search_text;
drop table search_entry;
