-- migrate:up

-- Customers are found by the numbers of their invoices and credit notes, by the ids of their quotes and of what they own, and by what
-- their cases are about.

alter table search_entry drop constraint search_entry_kind_check;
alter table search_entry add constraint search_entry_kind_check
    check (kind in ('account', 'contact', 'contract', 'order', 'case', 'invoice', 'credit_memo', 'quote', 'asset'));

create trigger invoice_search after insert or update of account_id on invoice
    for each row execute function keep_search_of_id('invoice', 'invoice_id');
create trigger credit_memo_search after insert or update of account_id on credit_memo
    for each row execute function keep_search_of_id('credit_memo', 'credit_memo_id');
create trigger quote_search after insert or update of account_id on quote
    for each row execute function keep_search_of_id('quote', 'quote_id');
create trigger asset_search after insert or update of account_id on asset
    for each row execute function keep_search_of_id('asset', 'asset_id');

-- A proposal for a next term is its contract's.
create function keep_search_of_proposal() returns trigger language plpgsql as $$
begin
    perform keep_search(c.account_id, 'quote', new.quote_id, new.quote_id) from contract c where c.contract_id = new.contract_id;
    return null;
end
$$;
create trigger renewal_quote_search after insert on renewal_quote for each row execute function keep_search_of_proposal();

create function keep_search_of_case() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and old.account_id is distinct from new.account_id then
        delete from search_entry where account_id = old.account_id and kind = 'case' and ref = old.case_id;
    end if;
    if new.account_id is not null then
        perform keep_search(new.account_id, 'case', new.case_id, concat_ws(' ', new.subject, new.case_id));
    end if;
    return null;
end
$$;
drop trigger case_search on service_case;
create trigger case_search after insert or update of account_id, subject on service_case
    for each row execute function keep_search_of_case();

insert into search_entry
select account_id, kind, ref, says, search_pieces(says) from (
    select account_id, 'invoice' as kind, invoice_id as ref, search_text(invoice_id) as says from invoice
    union all select account_id, 'credit_memo', credit_memo_id, search_text(credit_memo_id) from credit_memo
    union all select account_id, 'quote', quote_id, search_text(quote_id) from quote
    union all select c.account_id, 'quote', r.quote_id, search_text(r.quote_id) from renewal_quote r join contract c using (contract_id)
    union all select account_id, 'asset', asset_id, search_text(asset_id) from asset
    union all select account_id, 'case', case_id, search_text(concat_ws(' ', subject, case_id)) from service_case where account_id is not null) found
on conflict (account_id, kind, ref) do update set says = excluded.says, pieces = excluded.pieces;

-- migrate:down

drop trigger case_search on service_case;
create trigger case_search after insert or update of account_id on service_case
    for each row execute function keep_search_of_id('case', 'case_id');
drop trigger renewal_quote_search on renewal_quote;
drop trigger asset_search on asset;
drop trigger quote_search on quote;
drop trigger credit_memo_search on credit_memo;
drop trigger invoice_search on invoice;
drop function keep_search_of_case, keep_search_of_proposal;
delete from search_entry where kind in ('invoice', 'credit_memo', 'quote', 'asset');
update search_entry set says = search_text(ref), pieces = search_pieces(search_text(ref)) where kind = 'case';
alter table search_entry drop constraint search_entry_kind_check;
alter table search_entry add constraint search_entry_kind_check check (kind in ('account', 'contact', 'contract', 'order', 'case'));
