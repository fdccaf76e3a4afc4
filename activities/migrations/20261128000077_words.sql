-- migrate:up

-- The titles of a timeline are words for people: a mail is called what our people call it, not by its template; and so with what
-- happened in a case and with what holds sales back.

create function mail_in_words(template text) returns text language sql immutable as $$
    select case template
        when 'assets_changed' then 'confirmation of a change'
        when 'assets_received' then 'confirmation of what was received'
        when 'assets_transferred' then 'confirmation of a transfer'
        when 'case_apology' then 'apology for a delay'
        when 'case_nudge' then 'reminder of an open question'
        when 'case_opened' then 'confirmation of a request'
        when 'case_reply' then 'answer in a case'
        when 'case_resolved' then 'news of a solution'
        when 'case_survey' then 'case survey'
        when 'check_in' then 'check-in'
        when 'claim_declined' then 'answer about a refund'
        when 'contract_ended' then 'news of a contract''s end'
        when 'delivery_follow_up' then 'question about a delivery'
        when 'documents' then 'mail with invoices or credit notes'
        when 'go_live' then 'mail about the first day of use'
        when 'goodwill_granted' then 'news of a credit'
        when 'introduction' then 'introduction of a new contact person'
        when 'onboarding_invite' then 'invitation for a first step'
        when 'onboarding_reminder' then 'reminder of a first step'
        when 'opted_out' then 'confirmation of fewer mails'
        when 'order_confirmed' then 'confirmation of an order'
        when 'outreach' then 'offer of help'
        when 'price_match' then 'news of a price match'
        when 'provisioning_done' then 'news that everything is set up'
        when 'quote_presented' then 'quote'
        when 'recovered' then 'mail about good progress'
        when 'renewal_confirmed' then 'confirmation of a renewal'
        when 'renewal_declined' then 'confirmation of a contract''s end'
        when 'renewal_grace' then 'mail about a contract that has run out'
        when 'renewal_notice' then 'renewal notice'
        when 'reorder_check_in' then 'question about the next order'
        when 'survey' then 'survey'
        when 'touch_anniversary' then 'anniversary mail'
        when 'touch_day_1' then 'mail after the first day'
        when 'touch_month_1' then 'mail after the first month'
        when 'upsell_confirmed' then 'confirmation of more seats'
        when 'upsell_offer' then 'offer of more seats'
        when 'welcome' then 'welcome mail'
        else replace(template, '_', ' ')
    end
$$;

create function case_event_in_words(kind text, detail jsonb) returns text language sql immutable as $$
    select case kind
        when 'customer_message' then 'the customer wrote'
        when 'agent_message' then 'we answered'
        when 'first_response' then 'first answer'
        when 'note' then 'note'
        when 'waiting' then case detail->>'status'
            when 'waiting_customer' then 'waiting for the customer'
            when 'waiting_internal' then 'waiting for us'
            when 'waiting_third_party' then 'waiting for a third party'
            else 'waiting' end
        when 'resumed' then 'taken up again'
        when 'merged' then 'merged into another case'
        when 'absorbed' then 'another case was merged into it'
        when 'assigned' then 'has an owner'
        when 'de_escalated' then 'no longer escalated'
        when 'prioritised' then 'has another priority'
        when 'identified' then 'known whose it is'
        when 'surveyed' then 'the customer was asked how it went'
        when 'claimed' then 'money was asked back'
        when 'refunded' then 'money was given back'
        when 'claim_refused' then 'money was not given back'
        when 'disputed' then 'the customer disputes a refund'
        when 'mail_held' then 'an automatic mail was left out'
        when 'custom' then case detail->>'name'
            when 'hold_overridden' then 'sales may reach the customer for some hours'
            when 'renewal_released' then 'the renewal may be talked about'
            when 'renewal_kept' then 'the renewal waits'
            when 'lead_answered' then 'sales answered the lead'
            when 'sold' then 'something was sold'
            else replace(coalesce(detail->>'name', 'noted'), '_', ' ') end
        else replace(kind, '_', ' ')
    end
$$;

create or replace function timeline_items(r outbox) returns setof timeline_item language sql stable as $$
    select 'sent:' || r.delivery_id, r.account_id, r.settled_at, 'message',
        case when r.channel = 'deliver_mail' then 'Sent: ' || mail_in_words(r.body->>'template')
             else 'Notice: ' || (r.body->>'title') end,
        'system', case when r.stage like 'service:%' then 'case/' || substr(r.stage, 9) end,
        case when r.channel = 'deliver_mail' then 'customer' else 'staff' end
    where r.status = 'sent' and r.account_id is not null and r.channel in ('deliver_mail', 'deliver_notice')
        and r.body->>'template' is distinct from 'case_reply'
$$;

create or replace function timeline_items(r case_event) returns setof timeline_item language sql stable as $$
    select 'case:' || r.case_id || '/' || r.sequence, c.account_id, r.at,
        case when r.kind in ('customer_message', 'agent_message') then 'message'
             when r.kind in ('surveyed', 'rated') then 'survey' else 'case' end,
        'Case ' || r.case_id || ': ' || case
            when r.kind = 'created' then 'opened: ' || c.subject
            when r.kind = 'rated' then 'rated ' || coalesce(r.detail->>'score', '')
            else case_event_in_words(r.kind, r.detail)
        end || coalesce(': ' || nullif(coalesce(r.detail->>'reason', coalesce(s.name, r.detail->>'owner'), r.detail->>'body'), ''), ''),
        r.by, 'case/' || r.case_id,
        case when r.visibility = 'internal' then 'service'
             when r.kind in ('created', 'customer_message', 'agent_message', 'resolved', 'closed', 'reopened', 'rated')
             then 'customer' else 'staff' end
    from service_case c left join staff s on s.staff_id = r.detail->>'owner'
    where c.case_id = r.case_id and c.account_id is not null
        -- Promises are told by their own rows, what an action did by what it sent.
        and r.kind not in ('violated', 'reversed', 'fired')
$$;

create or replace function timeline_items(r sales_hold) returns setof timeline_item language sql stable as $$
    select 'hold:' || r.hold_id || '/' || what, r.account_id, at, 'hold',
        said.says || ': ' || r.says, coalesce(by, 'system'), 'case/' || r.case_id, 'staff'
    from (values ('Sales held', r.since, r.placed_by), ('Hold lifted', r.lifted_at, r.lifted_by)) told(what, at, by),
        lateral (select case what when 'Hold lifted' then 'No longer so'
                     else case r.level when 'block' then 'Sales is held back' else 'To be read before the customer is written to' end end) said(says)
    where at is not null
$$;

create or replace function timeline_items(r credit_memo) returns setof timeline_item language sql stable as $$
    select 'credit:' || r.credit_memo_id, r.account_id, r.issued_at, 'credit',
        'Credit memo ' || r.credit_memo_id || ': ' || r.total || ' ' || r.currency || ' (' || replace(r.reason, '_', ' ') || ')', 'system',
        'credit/' || r.credit_memo_id, 'customer'
$$;

insert into timeline_item select i.* from outbox r, lateral timeline_items(r) i on conflict (key) do update set title = excluded.title;
insert into timeline_item select i.* from case_event r, lateral timeline_items(r) i on conflict (key) do update set title = excluded.title;
insert into timeline_item select i.* from sales_hold r, lateral timeline_items(r) i on conflict (key) do update set title = excluded.title;
insert into timeline_item select i.* from credit_memo r, lateral timeline_items(r) i on conflict (key) do update set title = excluded.title;

-- migrate:down

create or replace function timeline_items(r outbox) returns setof timeline_item language sql stable as $$
    select 'sent:' || r.delivery_id, r.account_id, r.settled_at, 'message',
        case when r.channel = 'deliver_mail' then 'Mail: ' || replace(r.body->>'template', '_', ' ')
             else 'Notice: ' || (r.body->>'title') end,
        'system', case when r.stage like 'service:%' then 'case/' || substr(r.stage, 9) end,
        case when r.channel = 'deliver_mail' then 'customer' else 'staff' end
    where r.status = 'sent' and r.account_id is not null and r.channel in ('deliver_mail', 'deliver_notice')
        and r.body->>'template' is distinct from 'case_reply'
$$;

create or replace function timeline_items(r case_event) returns setof timeline_item language sql stable as $$
    select 'case:' || r.case_id || '/' || r.sequence, c.account_id, r.at,
        case when r.kind in ('customer_message', 'agent_message') then 'message'
             when r.kind in ('surveyed', 'rated') then 'survey' else 'case' end,
        'Case ' || r.case_id || ': ' || case
            when r.kind = 'created' then 'opened: ' || c.subject
            when r.kind = 'waiting' then replace(coalesce(r.detail->>'status', 'waiting'), '_', ' for ')
            when r.kind = 'rated' then 'rated ' || coalesce(r.detail->>'score', '')
            else replace(r.kind, '_', ' ')
        end || coalesce(': ' || nullif(coalesce(r.detail->>'reason', r.detail->>'owner', r.detail->>'body'), ''), ''),
        r.by, 'case/' || r.case_id,
        case when r.visibility = 'internal' then 'service'
             when r.kind in ('created', 'customer_message', 'agent_message', 'resolved', 'closed', 'reopened', 'rated')
             then 'customer' else 'staff' end
    from service_case c
    where c.case_id = r.case_id and c.account_id is not null
        -- Promises are told by their own rows, what an action did by what it sent.
        and r.kind not in ('violated', 'reversed', 'fired')
$$;

create or replace function timeline_items(r sales_hold) returns setof timeline_item language sql stable as $$
    select 'hold:' || r.hold_id || '/' || what, r.account_id, at, 'hold',
        what || ' (' || r.level || '): ' || r.says, coalesce(by, 'system'), 'case/' || r.case_id, 'staff'
    from (values ('Sales held', r.since, r.placed_by), ('Hold lifted', r.lifted_at, r.lifted_by)) told(what, at, by)
    where at is not null
$$;

create or replace function timeline_items(r credit_memo) returns setof timeline_item language sql stable as $$
    select 'credit:' || r.credit_memo_id, r.account_id, r.issued_at, 'credit',
        'Credit memo ' || r.credit_memo_id || ': ' || r.total || ' ' || r.currency || ' (' || r.reason || ')', 'system',
        'credit/' || r.credit_memo_id, 'customer'
$$;

insert into timeline_item select i.* from outbox r, lateral timeline_items(r) i on conflict (key) do update set title = excluded.title;
insert into timeline_item select i.* from case_event r, lateral timeline_items(r) i on conflict (key) do update set title = excluded.title;
insert into timeline_item select i.* from sales_hold r, lateral timeline_items(r) i on conflict (key) do update set title = excluded.title;
insert into timeline_item select i.* from credit_memo r, lateral timeline_items(r) i on conflict (key) do update set title = excluded.title;
drop function case_event_in_words(text, jsonb);
drop function mail_in_words(text);
