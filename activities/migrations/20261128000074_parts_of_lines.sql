-- migrate:up

-- What a line of an invoice or a credit memo is made of, so that whoever pays can check it: `quantity` times `unit_price` is
-- its amount; `parts` are units at a price by the month for a time, `why` says why they do not come to it. It is for the
-- time from `covers_from` up to `covers_until`, the first day after. `stands`: the parts of the whole billing period of its
-- lot once the line is booked, which say what a later change changes; null where `parts` are them. Lines of before have none
-- of it: what changes them says what it comes to and no more.

alter table invoice_line
    add column unit_price numeric, add column covers_from date, add column covers_until date, add column why text,
    add column parts jsonb, add column stands jsonb;
alter table credit_memo_line
    add column unit_price numeric, add column covers_from date, add column covers_until date, add column why text,
    add column parts jsonb, add column stands jsonb;
alter table billed_elsewhere add column stands jsonb;
alter table credit_forgone add column stands jsonb;

-- migrate:down

alter table credit_forgone drop column stands;
alter table billed_elsewhere drop column stands;
alter table credit_memo_line
    drop column unit_price, drop column covers_from, drop column covers_until, drop column why, drop column parts,
    drop column stands;
alter table invoice_line
    drop column unit_price, drop column covers_from, drop column covers_until, drop column why, drop column parts,
    drop column stands;
