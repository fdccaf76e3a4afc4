"""Which columns hold what names somebody, or what somebody said, and which never do: the one table, of every column with text.

A test holds it against the schema. What is personal is erased with the customer whole; of a person what is theirs is erased whole,
and of everything else what names or quotes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_OF_CASE = "case_id in (select case_id from service_case where account_id = $1)"
_OF_CONTRACT = "contract_id in (select contract_id from contract where account_id = $1)"
_OF_QUOTE = "quote_id in (select quote_id from quote where account_id = $1)"
_OF_ORDER = "order_id in (select order_id from sales_order where account_id = $1)"
_THEIR_CASE = "case_id in (select case_id from service_case where account_id = $1 and contact_id = $2)"
_STANDS_IN = r"{0} ~ ('(^|[^A-Za-z0-9._-])' || regexp_replace({1}, '([^A-Za-z0-9_])', '\\\1', 'g') || '([.]?[^A-Za-z0-9._-]|[.]?$)')"
"""An id by itself, not as a piece of a longer one."""
_NAMES_ACCOUNT = (
    f"(({_STANDS_IN.format('{0}', '$1')}) or exists (select from service_case c"
    f" where c.account_id = $1 and position(c.case_id in {{0}}) > 0 and {_STANDS_IN.format('{0}', 'c.case_id')}))"
)
_WITH_THEM = "regexp_split_to_array(lower(sender || ' ' || recipient), '[^[:alnum:]@._%+&=~''-]+') && $3::text[]"
_NOT_OF_OTHERS = "not exists (select from contact o where lower(o.email) = {0} and o.account_id <> $1)"
_FROM_THEM = (
    f"account_id is null and status <> 'new' and lower(sender) = any($3) and {_NOT_OF_OTHERS.format('lower(sender)')}"
)
_NAMES_THEM = (
    "account_id is null and exists (select from unnest($3::text[]) e where"
    f" position(e in lower(encode(coalesce(mended, body), 'escape'))) > 0 and {_NOT_OF_OTHERS.format('e')})"
)


@dataclass(frozen=True)
class Personal:
    """Columns of a table. `whose`: the rows of the account $1; `theirs`: those of them that are of the contact $2 alone, whose addresses
    are $3. `goes`: the rows themselves go; of a person, those that are theirs. `emptied`: columns of which nothing is left, as they are
    looked something up by;
    `ids`: those that hold ids or words of ours for the most part, which stay; `who`: those that say who a row is, which change with rows
    of theirs alone; `unmatched`: rows of no account that name their addresses $3."""

    table: str
    columns: str
    whose: str = "account_id = $1"
    theirs: str | None = None
    goes: bool = False
    emptied: str = ""
    ids: str = ""
    who: str = ""
    unmatched: str = "false"

    @property
    def names(self) -> list[str]:
        """The columns, one by one."""
        return self.columns.split()


PERSONAL: tuple[Personal, ...] = (
    Personal("account", "name closed_reason"),
    Personal(
        "contact",
        "name email phone phone_number rejected_reason",
        theirs="contact_id = $2",
        emptied="phone phone_number",
        who="name email phone phone_number",
    ),
    Personal("gone_contact", "email", theirs="contact_id = $2"),
    Personal("mail_wish", "email", theirs="lower(email) = any($3)", goes=True),
    Personal(
        "service_case",
        "contact subject status_reason resolution_text",
        theirs="contact_id = $2",
    ),
    Personal(
        "case_message",
        "sender recipient subject body message_id in_reply_to references",
        whose=_OF_CASE,
        theirs=f"({_THEIR_CASE} or {_WITH_THEM})",
        emptied="message_id in_reply_to",
    ),
    Personal("case_event", "detail", whose=_OF_CASE, theirs=_THEIR_CASE),
    Personal("case_survey", "comment sent_to", whose=_OF_CASE, theirs=f"({_THEIR_CASE} or lower(sent_to) = any($3))"),
    Personal("survey", "comment sent_to", theirs="lower(sent_to) = any($3)"),
    Personal("reference_ask", "comment sent_to", theirs="contact_id = $2"),
    Personal(
        "inbox_message",
        "raw recipients return_path reason message_id sender sender_name subject attachments done",
        ids="done",
        whose=f"(account_id = $1 or {_OF_CASE})",
        theirs=f"(contact_id = $2 or {_THEIR_CASE} or lower(sender) = any($3))",
        emptied="message_id return_path",
        unmatched=_FROM_THEM,
    ),
    Personal("outbox", "body reason left_with", theirs="contact_id = $2"),
    Personal("webhook_try", "said", whose="delivery_id in (select delivery_id from outbox where account_id = $1)"),
    Personal("journal", "title detail"),
    Personal("timeline_item", "title actor", ids="actor"),
    Personal("effect", "outcome"),
    Personal("onboarding_event", "reason actor", ids="actor"),
    Personal("onboarding_task", "evidence waits_why completed_by", ids="completed_by"),
    Personal("staff_task", "title reason outcome"),
    Personal("lead", "evidence reason sourced_by", theirs="contact_id = $2", ids="sourced_by"),
    Personal("offer", "reason"),
    Personal("contract", "status_reason"),
    Personal("contract_churn", "said", whose=_OF_CONTRACT),
    Personal("renewal_expectation", "reason", whose=_OF_CONTRACT),
    Personal("renewal_version", "reason decided_reason", whose=_OF_CONTRACT),
    Personal("renewal_release", "reason"),
    Personal("conveyance", "reason", whose="(from_account = $1 or to_account = $1)"),
    Personal("credit_memo", "reason"),
    Personal("refund_claim", "reason decision"),
    Personal("quote_version", "body terms", whose=_OF_QUOTE),
    Personal("quote_event", "reason", whose=_OF_QUOTE),
    Personal("quote_approval", "body reason", whose=_OF_QUOTE),
    Personal("order_line", "site", whose=_OF_ORDER),
    Personal("sales_hold", "says"),
    Personal("hold_override", "reason"),
    Personal("health_override", "reason"),
    Personal("health_score", "why parts rules"),
    Personal("dunning_reminder", "said"),
    Personal("inbound_event", "headers body mended reason", unmatched=_NAMES_THEM),
    Personal(
        "tool_act",
        "request reason answer decided_reason",
        whose=f"(subject_id = $1 or {_OF_CASE.replace('case_id in', 'subject_id in', 1)})",
    ),
    Personal(
        "audit_entry",
        "reason",
        whose="(subject = 'account/' || $1 or subject in (select 'case/' || case_id from service_case where account_id = $1))",
    ),
    Personal("kept_answer", "body", whose=_NAMES_ACCOUNT.format("body"), theirs="true", goes=True),
    Personal("console_draft", "fields", whose=_NAMES_ACCOUNT.format("path"), theirs="true", goes=True),
    Personal("customer_text", "says listed_by"),
)
"""`customer_text` follows from the others, as triggers keep it; it is looked through as they are."""

DERIVED = frozenset({"customer_text"})
"""Tables that triggers keep."""

PLAIN: Mapping[str, str] = {
    "account": "account_id country time_zone language segment owner_id success_manager_id set_by_request merged_into",
    "api_key": "key_id name digest roles titles scopes made_by",
    "asset": (
        "asset_id account_id order_id line_id product_code name contract_id parent_id currency price_per price_book "
        "selling_model pricing_source renewal_pricing status serial_number lock time_zone carried carried_first "
        "use_terms"
    ),
    "asset_action": "asset_id request_id category type subtype attributes related_asset order_id terms",
    "asset_action_source": "asset_id reference",
    "asset_relationship": "parent_id child_id role child_quantity",
    "asset_state_period": "asset_id attributes",
    "audit_entry": "actor door operation subject request_id outcome",
    "billed_elsewhere": "asset_id stands",
    "business_calendar": "calendar_id body",
    "calendar_holiday": "calendar_id name added_by withdrawn_by",
    "case_action": "key case_id",
    "case_event": "case_id kind by visibility",
    "case_message": "case_id direction channel template delivery_id",
    "case_milestone": "case_id milestone kind state",
    "case_seen": "case_id staff_id account_id",
    "case_survey": "survey_id case_id",
    "catalogue_product": "product_code body",
    "claimed_key": "actor key digest",
    "console_draft": "digest staff_id path",
    "console_form": "digest staff_id",
    "console_session": "digest staff_id roles id_token",
    "console_sign_in": "digest back",
    "contact": "account_id contact_id role language time_zone",
    "contract": "contract_id account_id order_id currency status billing first_invoice evergreen",
    "contract_churn": "contract_id reason given_by",
    "contract_event": "contract_id account_id status quote_id",
    "contract_term": "contract_id origin",
    "conveyance": "transfer_id from_account to_account status body",
    "credit_forgone": "asset_id stands",
    "credit_memo": "credit_memo_id account_id key currency",
    "credit_memo_line": "credit_memo_id key kind asset_id order_id line_id description invoice_id why parts stands",
    "credit_memo_tax": "credit_memo_id invoice_id",
    "customer_text": "account_id kind ref",
    "dunning_reminder": "account_id invoices",
    "effect": "key account_id run asked under",
    "entitlement": "entitlement_id account_id policy_id product_code contract_id",
    "event_link": "source foreign_id account_id made_by",
    "event_secret": "source secret made_by",
    "event_source": "source mapping url made_by",
    "fulfilment_event": "order_id line_id event_id step reported_by",
    "gone_contact": "account_id contact_id removed_by role",
    "health_override": "override_id account_id band by",
    "health_score": "account_id band profile cause trend news",
    "held_step": "account_id key purpose product_code step",
    "hold_acknowledgement": "account_id source by",
    "hold_override": "override_id account_id case_ids by role",
    "imported_asset": "asset_id account_id contract_id",
    "inbound_effect": "source item_id rule event_id operation subject",
    "inbound_event": "event_id source foreign_id status account_id settled_by",
    "inbox_message": "inbox_id status settled_by account_id contact_id case_id machine",
    "invoice": "invoice_id account_id key currency",
    "invoice_line": "invoice_id kind asset_id order_id line_id description why parts stands usage",
    "invoice_payment": "invoice_id account_id status by",
    "invoice_tax": "invoice_id",
    "journal": "account_id key stage kind",
    "kept_answer": "actor key digest",
    "lead": (
        "lead_id account_id contact_id product_code motion case_id urgency status routed_to answered_by closed_by "
        "order_id offer_id"
    ),
    "mail_wish": "account_id declined",
    "offer": "offer_id account_id asset_id currency status",
    "onboarding_event": "account_id stage name kind waits_for",
    "onboarding_task": "account_id stage name title owner status waits_for",
    "order_line": "order_id line_id product_code contract_id price_per ramp usage",
    "outbox": "delivery_id account_id channel stage contact_id staff_id status message_id purpose product_code trace",
    "payment": "account_id payment_id kind currency by of_payment",
    "payment_part": "account_id payment_id invoice_id",
    "people_change": "account_id what about before after",
    "playbook": "segment body",
    "playbook_draft": "segment text saved_by",
    "playbook_rehearsal": "segment body",
    "playbook_trial": "segment account_id",
    "portfolio_slice": "product_code segment currency",
    "price_book": "name currency",
    "price_entry": "name currency product_code per selling_model attributes tiers",
    "product": "code name kind",
    "protection_policy": "body",
    "quote": "quote_id account_id state currency requested_by order_id",
    "quote_approval": "quote_id role currency decision decided_by decided_role",
    "quote_event": "quote_id state by",
    "quote_version": "quote_id currency",
    "reconciliation": "by_kind",
    "reference_ask": "reference_id account_id contact_id answer",
    "refund_claim": (
        "claim_id key kind account_id case_id order_id line_id currency limited_by price_book price_version approval "
        "status claimed_by decided_by decided_role credit_memo_id"
    ),
    "renewal_expectation": "contract_id category expected_by",
    "renewal_quote": "quote_id contract_id currency lines",
    "renewal_release": "release_id account_id case_id by role",
    "renewal_rung": "contract_id rung task",
    "renewal_version": "contract_id state quantities role asked_by decided_by",
    "sales_hold": "hold_id account_id scope product_code level reason source case_id placed_by lifted_by",
    "sales_order": "order_id account_id digest currency",
    "schema_migrations": "version",
    "sent_before": "delivery_id account_id",
    "service_agent": "staff_id team skills shift",
    "service_case": (
        "case_id account_id contact_id channel category product_code asset_id contract_id order_id line_id impact "
        "urgency priority status owner_id team resolution_code merged_into parent_id follows_id policy_id chosen_by "
        "entitlement_id calendar_id calendars digest followers"
    ),
    "service_policy": "policy_id body",
    "service_team": "team name lead_id manager_id director_id",
    "short_number": "account_id kind thing_id",
    "signing_key": "secret",
    "staff": "staff_id name email language changed_by time_zone country manager_id",
    "staff_access": "staff_id roles titles subject granted_by",
    "staff_task": "account_id key staff_id task_id escalated_to ended ended_by",
    "staff_week": "staff_id scope delivery_id",
    "survey": "survey_id account_id kind",
    "timeline_item": "key account_id kind link visibility",
    "tool_act": "act_id actor operation subject_id takes_back decision decided_by outcome",
    "usage_day": "account_id product_code",
    "usage_feature_day": "account_id product_code feature",
    "use_charge": "asset_id priced",
    "webhook_endpoint": "url why",
    "webhook_try": "delivery_id by",
}
"""The columns with text that name nobody at a customer: ids, words of ours, names of things that we sell, our own people."""
