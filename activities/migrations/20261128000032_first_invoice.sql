-- migrate:up

-- What is invoiced in advance is invoiced on the first day of the period billed; the first period of what a contract covers
-- may be invoiced with the order that sells it, if the contract says so. What older releases have invoiced stays invoiced.

alter table contract add column first_invoice text not null default 'start' check (first_invoice in ('start', 'order'));

-- What fell due before this day was charged elsewhere, not by us: of assets from another system the day on which they came.
-- Those that ran before invoices were kept here have no invoice yet; they are taken over when they are first looked at.

alter table asset add column invoiced_from date;
update asset a set invoiced_from = (
    select (i.recorded_at at time zone a.time_zone)::date from imported_asset i where i.asset_id = a.asset_id)
where exists (select 1 from imported_asset i where i.asset_id = a.asset_id);
update asset a set invoiced_from = date '9999-12-31'
where a.lifecycle_start < (select max(e.as_of) from effect e where e.account_id = a.account_id)
  and not exists (select 1 from invoice_line l where l.asset_id = a.asset_id)
  and not exists (select 1 from billed_elsewhere b where b.asset_id = a.asset_id);

-- migrate:down

alter table asset drop column invoiced_from;
alter table contract drop column first_invoice;
