"""Many customers by rows alone: what the daily look at health reads, of any number of accounts, in some seconds."""

from __future__ import annotations

from datetime import UTC, datetime

from activities.kernel.pool import Pool

AT = datetime(2026, 11, 2, 4, tzinfo=UTC)

_ROWS = """
insert into staff (staff_id, name, email) values ('S-1', 'Olga Owner', 'olga@seller.example');
insert into playbook (segment, version, body) values ('standard', 1, '{}');
insert into product (code, name, kind) values ('SEATS', 'Workspace', 'subscription'), ('MORE', 'More', 'subscription');
insert into account (account_id, name, country, time_zone, language, segment, playbook_version, owner_id, success_manager_id,
    since, recorded_at)
  select 'A-' || n, 'Account ' || n, 'DE', 'Europe/Berlin', 'de', 'standard', 1, 'S-1', 'S-1',
         timestamptz '2026-11-02 04:00Z' - interval '300 days', timestamptz '2026-11-02 04:00Z' - interval '300 days'
  from generate_series(1, MANY) n;
insert into contact (account_id, contact_id, position, name, email, role, language, time_zone)
  select 'A-' || n, 'P-' || k, k, 'Person', 'p' || k || '@a' || n || '.example', case k when 1 then 'main' else 'sponsor' end, 'de', 'Europe/Berlin'
  from generate_series(1, MANY) n, generate_series(1, 2) k where k = 1 or n % 3 = 0;
insert into sales_order (order_id, account_id, digest, activated_at, activated_on, currency, sells_goods, imported, recorded_at)
  select 'O-' || substr(account_id, 3), account_id, '', since, since::date, 'EUR', false, false, since from account;
insert into contract (contract_id, account_id, order_id, currency, auto_renew, renewal_months, notice_days, uplift_percent, status, status_at)
  select 'K-' || substr(account_id, 3), account_id, 'O-' || substr(account_id, 3), 'EUR', substr(account_id, 3)::int % 2 = 0, 12, 30, 0,
         case when substr(account_id, 3)::int % 7 = 3 then 'ended' when substr(account_id, 3)::int % 50 = 0 then 'declined'
              when substr(account_id, 3)::int % 50 = 1 then 'grace' else 'active' end,
         case when substr(account_id, 3)::int % 7 = 3 then since + interval '200 days' else since end from account;
insert into contract_term (contract_id, number, start_on, until, starts_at, ends_at, origin, recorded_at)
  select contract_id, 1, since::date, since::date + 365, since, since + interval '365 days', 'sold', since
  from contract join account using (account_id);
insert into asset (asset_id, account_id, order_id, line_id, product_code, contract_id, currency, price_per, unit_price, selling_model,
    lifecycle_start)
  select account_id || p, account_id, 'O-' || substr(account_id, 3), p, p, 'K-' || substr(account_id, 3), 'EUR', 'month', 10, 'termed', since
  from account, unnest(array['SEATS', 'MORE']) p;
insert into asset_state_period (asset_id, starts_at, ends_at, quantity, mrr, slice_id)
  select asset_id, lifecycle_start, lifecycle_start
    + interval '1 day' * case when substr(account_id, 3)::int % 7 = 3 then 200 else 365 end, 40, 400, 0
  from asset;
insert into onboarding_task (account_id, stage, name, title, owner, due_on, due_at, status, completed_at, completed_by)
  select account_id, 'onboarding:O-' || substr(account_id, 3), task, '{"en": "Task"}', 'customer', since::date + 20, since + interval '20 days',
         'done', since + interval '19 days', 'customer' from account, unnest(array['kickoff', 'training', 'go_live']) task;
insert into usage_day (account_id, product_code, day, active_users)
  select account_id, p, date '2026-11-01' - d, greatest(0, (substr(account_id, 3)::int * 7 % 40) - d / 4)
  from account, unnest(array['SEATS', 'MORE']) p, generate_series(0, DAYS - 1) d where substr(account_id, 3)::int % 10 > 0;
insert into service_case (case_id, account_id, subject, channel, impact, urgency, priority, status, status_at, opened_at, last_activity_at,
    planned_at, resolved_at, recorded_at, reopen_count)
  select 'C-' || substr(account_id, 3) || '-' || k, account_id, 'It stands still', 'mail', 'high', 'high',
         (array['urgent', 'high', 'medium', 'low'])[1 + (substr(account_id, 3)::int + k) % 4],
         case when k = 1 then 'open' else 'closed' end, at, at, at + interval '1 day', at,
         case when k = 1 then null else at + interval '2 days' end, at, 0
  from account, generate_series(1, 3) k, lateral (select timestamptz '2026-11-02 04:00Z' - k * interval '9 days' as at) o
  where substr(account_id, 3)::int % 5 = 0;
insert into survey (survey_id, account_id, kind, sent_at, score, answered_at)
  select 'N-' || account_id, account_id, 'nps', timestamptz '2026-10-01Z', substr(account_id, 3)::int % 11, timestamptz '2026-10-02Z'
  from account where substr(account_id, 3)::int % 3 = 0;
insert into effect (key, account_id, run, as_of, outcome)
  select 'journey:' || account_id || '/step-' || n, account_id, '', since + n * interval '10 days', '{}'
  from account, generate_series(1, 30) n;
"""


async def fill(pool: Pool, accounts: int, usage_days: int = 56) -> None:
    """So many accounts of a year, with two products each: usage, cases, surveys, renewals of all kinds. `AT` is their present; every
    seventh has left by then."""
    async with pool.acquire() as connection:
        for statement in _ROWS.replace("MANY", str(accounts)).replace("DAYS", str(usage_days)).split(";\n"):
            if statement.strip():
                await connection.execute(statement, timeout=3600)
        await connection.execute("analyze", timeout=3600)
