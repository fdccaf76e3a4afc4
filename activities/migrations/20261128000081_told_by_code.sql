-- migrate:up

-- A customer's timeline is written by the statements that write what it tells of; its words stand with all other words for people.

drop trigger journal_timeline on journal;
drop trigger outbox_timeline on outbox;
drop trigger health_timeline on health_score;
drop trigger term_timeline on contract_term;
drop trigger invoice_timeline on invoice;
drop trigger credit_timeline on credit_memo;
drop trigger case_event_timeline on case_event;
drop trigger case_event_timeline_gone on case_event;
drop trigger milestone_timeline_new on case_milestone;
drop trigger milestone_timeline_moved on case_milestone;
drop trigger milestone_timeline_gone on case_milestone;
drop trigger hold_timeline_new on sales_hold;
drop trigger hold_timeline_moved on sales_hold;
drop trigger service_case_timeline on service_case;
drop function move_timeline_of_case, forget_timeline, keep_timeline;
drop function timeline_items(journal),
    timeline_items(outbox),
    timeline_items(health_score),
    timeline_items(contract_term),
    timeline_items(invoice),
    timeline_items(credit_memo),
    timeline_items(case_event),
    timeline_items(case_milestone),
    timeline_items(sales_hold);
drop function case_event_in_words(text, jsonb), mail_in_words(text);

-- A term that was taken back before it began never begins.
delete from timeline_item where key like 'term:%' and key not in (
    select 'term:' || contract_id || '/' || number || '/' || bound from contract_term, (values ('begins'), ('ends')) b(bound));

-- migrate:down

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

create function timeline_items(r journal) returns setof timeline_item language sql stable as $$
    select r.key, r.account_id, r.at,
        case
            when r.kind in ('order_accepted', 'purchase', 'return', 'sell_from_case') then 'purchase'
            when r.kind = 'note_mail' then 'message'
            when r.kind in ('roll_back', 'take_up_holdings') then 'asset'
            when r.kind like 'quote%' or r.kind like '%\_quote' then 'quote'
            when r.kind like 'onboarding%' or r.kind = 'complete_task' then 'onboarding'
            when r.kind in ('adoption_survey', 'answer_survey') then 'survey'
            when r.kind like 'adoption%' or r.kind like 'usage%' then 'usage'
            when r.kind like 'expansion%' or r.kind = 'answer_offer' then 'offer'
            when r.kind like 'renewal%' or r.kind = 'answer_renewal' then 'contract'
            when r.kind like '%lead%' then 'lead'
            when r.kind like 'service%' or r.kind like '%hold%' or r.kind like 'release%' then 'hold'
            when r.kind like 'case%' or r.kind = 'price_protection' then 'case'
            when r.kind like 'amend%' or r.kind like '%asset%' or r.kind like '%fulfil%' then 'asset'
            else 'relationship'
        end,
        r.title, coalesce(r.detail->>'by', 'system'),
        case
            when r.detail ? 'case_id' then 'case/' || (r.detail->>'case_id')
            when r.detail ? 'offer_id' then 'offer/' || (r.detail->>'offer_id')
            when r.detail ? 'quote_id' then 'quote/' || (r.detail->>'quote_id')
            when r.detail ? 'contract_id' then 'contract/' || (r.detail->>'contract_id')
            when r.detail ? 'order_id' then 'order/' || (r.detail->>'order_id')
            when r.detail ? 'asset_id' then 'asset/' || (r.detail->>'asset_id')
        end,
        'staff'
    -- Not what was passed over, nor what a table of its own tells in more detail: invoices, holds, the record of a case.
    where r.kind not in ('past', 'skipped', 'billing_invoice', 'invoice', 'credit_memo', 'service_hold', 'service_hold_lift', 'case_opened',
        'case_prioritised', 'case_violated', 'case_reversed', 'case_escalated', 'case_de_escalated', 'case_resolved',
        'case_reopened', 'case_merged', 'case_closed', 'case_cancelled', 'case_rated')
$$;

create function timeline_items(r outbox) returns setof timeline_item language sql stable as $$
    select 'sent:' || r.delivery_id, r.account_id, r.settled_at, 'message',
        case when r.channel = 'deliver_mail' then 'Sent: ' || mail_in_words(r.body->>'template')
             else 'Notice: ' || (r.body->>'title') end,
        'system', case when r.stage like 'service:%' then 'case/' || substr(r.stage, 9) end,
        case when r.channel = 'deliver_mail' then 'customer' else 'staff' end
    where r.status = 'sent' and r.account_id is not null and r.channel in ('deliver_mail', 'deliver_notice')
        and r.body->>'template' is distinct from 'case_reply'
$$;

create function timeline_items(r health_score) returns setof timeline_item language sql stable as $$
    select 'health:' || r.account_id || '/' || extract(epoch from r.at), r.account_id, r.at, 'health',
        'Health ' || coalesce(r.score::text || ', ', '') || r.band
            || coalesce(' (was ' || coalesce(b.score::text || ', ', '') || b.band || ')', ''),
        'system', null, 'staff'
    from (select) one
    left join lateral (select h.score, h.band from health_score h where h.account_id = r.account_id and h.at < r.at
                       order by h.at desc limit 1) b on true
    where (b.band, b.score) is distinct from (r.band, r.score)
$$;

create function timeline_items(r contract_term) returns setof timeline_item language sql stable as $$
    select 'term:' || r.contract_id || '/' || r.number || '/' || what, c.account_id, at, 'contract',
        'Contract ' || r.contract_id || ': term ' || r.number || ' ' || what, 'system', 'contract/' || r.contract_id, 'staff'
    from contract c, (values ('begins', r.starts_at), ('ends', r.ends_at)) bound(what, at)
    where c.contract_id = r.contract_id
$$;

create function timeline_items(r invoice) returns setof timeline_item language sql stable as $$
    select 'invoice:' || r.invoice_id, r.account_id, r.issued_at, 'invoice',
        'Invoice ' || r.invoice_id || ': ' || r.total || ' ' || r.currency, 'system', 'invoice/' || r.invoice_id, 'customer'
$$;

create function timeline_items(r credit_memo) returns setof timeline_item language sql stable as $$
    select 'credit:' || r.credit_memo_id, r.account_id, r.issued_at, 'credit',
        'Credit memo ' || r.credit_memo_id || ': ' || r.total || ' ' || r.currency || ' (' || replace(r.reason, '_', ' ') || ')', 'system',
        'credit/' || r.credit_memo_id, 'customer'
$$;

create function timeline_items(r case_event) returns setof timeline_item language sql stable as $$
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

create function timeline_items(r case_milestone) returns setof timeline_item language sql stable as $$
    select 'promise:' || r.case_id || '/' || r.milestone || ':' || r.number || '/' || what, c.account_id, at, 'milestone',
        'Case ' || r.case_id || ': ' || replace(r.milestone, '_', ' ') || ' ' || what, 'system', 'case/' || r.case_id, 'staff'
    from service_case c,
        (values ('kept', case when r.state = 'met' then r.completed_at end),
                ('kept late', case when r.state = 'missed' then r.completed_at end),
                ('was due', r.violated_at),
                ('was not late after all', r.reversed_at)) told(what, at)
    where c.case_id = r.case_id and c.account_id is not null and at is not null
$$;

create function timeline_items(r sales_hold) returns setof timeline_item language sql stable as $$
    select 'hold:' || r.hold_id || '/' || what, r.account_id, at, 'hold',
        said.says || ': ' || r.says, coalesce(by, 'system'), 'case/' || r.case_id, 'staff'
    from (values ('Sales held', r.since, r.placed_by), ('Hold lifted', r.lifted_at, r.lifted_by)) told(what, at, by),
        lateral (select case what when 'Hold lifted' then 'No longer so'
                     else case r.level when 'block' then 'Sales is held back' else 'To be read before the customer is written to' end end) said(says)
    where at is not null
$$;

create function keep_timeline() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' then  -- what the row does not mean any more: a promise that was kept in time after all
        delete from timeline_item where key in (
            select key from timeline_items(old) except select key from timeline_items(new));
    end if;
    insert into timeline_item select * from timeline_items(new)
    on conflict (key) do update set account_id = excluded.account_id, at = excluded.at, title = excluded.title,
        kind = excluded.kind, actor = excluded.actor, link = excluded.link, visibility = excluded.visibility;
    return null;
end
$$;

create function forget_timeline() returns trigger language plpgsql as $$
begin
    delete from timeline_item where key in (select key from timeline_items(old));
    return null;
end
$$;

create function move_timeline_of_case() returns trigger language plpgsql as $$
begin
    delete from timeline_item where account_id = old.account_id and link = 'case/' || new.case_id
        and (starts_with(key, 'case:') or starts_with(key, 'promise:'));
    insert into timeline_item select i.* from case_event e, lateral timeline_items(e) i where e.case_id = new.case_id
    on conflict (key) do nothing;
    insert into timeline_item select i.* from case_milestone m, lateral timeline_items(m) i where m.case_id = new.case_id
    on conflict (key) do nothing;
    return null;
end
$$;

create trigger journal_timeline after insert on journal for each row execute function keep_timeline();
create trigger outbox_timeline after update of status on outbox
    for each row when (new.status = 'sent' and old.status <> 'sent') execute function keep_timeline();
create trigger health_timeline after insert on health_score for each row execute function keep_timeline();
create trigger term_timeline after insert or update of starts_at, ends_at on contract_term
    for each row execute function keep_timeline();
create trigger invoice_timeline after insert on invoice for each row execute function keep_timeline();
create trigger credit_timeline after insert on credit_memo for each row execute function keep_timeline();
create trigger case_event_timeline after insert on case_event for each row execute function keep_timeline();
create trigger case_event_timeline_gone after delete on case_event for each row execute function forget_timeline();
create trigger milestone_timeline_new after insert on case_milestone
    for each row when (new.completed_at is not null or new.violated_at is not null) execute function keep_timeline();
create trigger milestone_timeline_moved after update on case_milestone
    for each row when ((new.completed_at, new.violated_at, new.reversed_at, new.state)
        is distinct from (old.completed_at, old.violated_at, old.reversed_at, old.state))
    execute function keep_timeline();
create trigger milestone_timeline_gone after delete on case_milestone for each row execute function forget_timeline();
create trigger hold_timeline_new after insert on sales_hold for each row execute function keep_timeline();
create trigger hold_timeline_moved after update on sales_hold
    for each row when ((new.lifted_at, new.level, new.says) is distinct from (old.lifted_at, old.level, old.says))
    execute function keep_timeline();
create trigger service_case_timeline after update of account_id on service_case
    for each row when (new.account_id is distinct from old.account_id) execute function move_timeline_of_case();
