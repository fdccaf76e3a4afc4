"""Realistic mails: one context for every template, for a customer in Tokyo."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from domain.frame.messages import OutgoingMail
from domain.kernel.money import money

AT = datetime(2027, 1, 30, 0, 0, tzinfo=UTC)


def yen(amount: str) -> dict[str, str]:
    """An amount as mails carry it."""
    return money(Decimal(amount), "JPY").told()


COMMON: dict[str, Any] = {
    "company": "カプリコーン珈琲株式会社",
    "contact_name": "田中 花子",
    "seller": "Meridian Systems",
    "sender_name": "佐藤 葵",
}
KICKOFF = {"en": "Kickoff meeting", "ja": "キックオフミーティング"}
PRODUCTS = ["Team Plan", "Brew Sensor <X> & Hub"]
PEOPLE = {
    "success_manager": {"name": "鈴木 一郎", "email": "ichiro@seller.example"},
    "owner": {"name": "Olga Owner", "email": "olga@seller.example"},
}
UNDER_WAY = {
    "cases": ["C-17", "C-18"],
    "tasks": [{"title": KICKOFF, "due": "2027-03-01"}],
    "term_ends": {"contract_id": "K-1", "day": "2027-03-31"},
}
QUOTE: dict[str, Any] = {
    "quote_id": "Q-2027-8",
    "start": "2027-04-01",
    "end": "2028-03-31",
    "total": yen("1380000"),
    "valid_until": "2027-03-15",
    "lines": [
        {"product": "Team Plan", "quantity": 100, "unit_price": yen("1000"), "per": "month", "amount": yen("1200000")},
        {"product": "Support", "quantity": 1, "unit_price": yen("180000"), "per": "year", "amount": yen("180000")},
    ],
}
USE = {"product": "Team Plan", "active_users": 42, "seats": 1200, "adoption": "0.035"}

CHANGE: dict[str, Any] = {
    "product": "Team Plan",
    "change": "more",
    "from": "2027-03-01",
    "until": "2027-09-30",
    "quantity_before": 100,
    "quantity": 1200,
    "mrr_before": yen("100000"),
    "mrr": yen("1200000"),
    "fields": "",
}

CASE = {"case_id": "C-17.3", "subject": "Till <3> & printer are down"}

CONTEXTS: dict[str, dict[str, Any]] = {
    "welcome": {
        "products": PRODUCTS,
        "tasks": [{"title": KICKOFF, "due": "2027-03-01"}],
        "success_manager_name": "鈴木 一郎",
        "standing": "new",
        "order_id": "O-536365",
    },
    "order_confirmed": {"order_id": "O-536365", "products": PRODUCTS},
    "documents": {
        "documents": [
            {"kind": "invoice", "id": "INV-C-17-1", "total": yen("1320000")},
            {"kind": "credit_memo", "id": "CM-C-17-1", "total": yen("5000")},
        ]
    },
    "onboarding_invite": {"title": KICKOFF, "due": "2027-03-01"},
    "onboarding_moved": {"tasks": [{"title": KICKOFF, "due": "2027-03-01", "was": "2027-02-26"}]},
    "onboarding_reminder": {"title": KICKOFF, "due": "2027-03-01", "days_late": 3},
    "provisioning_done": {"products": PRODUCTS},
    "go_live": {"days_to_value": 21},
    "introduction": {
        "success_manager": PEOPLE["success_manager"],
        "owner": PEOPLE["owner"],
        "both": False,
        "since": "2027-02-01",
        **UNDER_WAY,
    },
    "contact_welcome": {"role": "admin", "products": PRODUCTS, **PEOPLE, "both": False, **UNDER_WAY},
    "touch_day_1": {},
    "touch_month_1": {},
    "play_note": {
        "title": {"en": "A tip for your team", "ja": "チームへのヒント"},
        "words": {"en": "One thing to try.\n\nIt takes a minute.", "ja": "一度お試しください。\n\n1分で終わります。"},
    },
    "touch_anniversary": {"years": 2},
    "check_in": {"products": PRODUCTS, "active_users": 42, "seats": 1200, "adoption": "0.035", "next_on": "2027-03-01"},
    "outreach": {**USE, "low": "0.5"},
    "recovered": USE,
    "opted_out": {},
    "reference": {"reference_id": "ref-1"},
    "survey": {"survey_id": "survey-1", "question_kind": "nps"},
    "survey_thanks": {"score": 3, "of": 10, "caller": "佐藤 葵", "call_by": "2027-03-01"},
    "contract_news": {
        "contract_id": "A-3",
        "what": "offered",
        "day": "2027-03-31",
        "by_itself": True,
        "answer_by": "2027-03-01",
        "readers": ["高橋 学"],
        "stays": False,
    },
    "renewal_notice": {
        "contract_id": "A-3",
        "term_end": "2027-03-31",
        "auto_renew": False,
        "notice_by": "2027-03-01",
        "days_left": 60,
        "quote": QUOTE,
    },
    "renewal_confirmed": {
        "contract_id": "A-3",
        "start": "2027-04-01",
        "end": "2028-03-31",
        "total": yen("1380000"),
        "automatic": False,
    },
    "renewal_declined": {"contract_id": "A-3", "term_end": "2027-03-31"},
    "renewal_grace": {"contract_id": "A-3", "term_end": "2027-03-31", "grace_until": "2027-04-30"},
    "payment_reminder": {
        "tone": "friendly",
        "invoices": [
            {
                "invoice_id": "INV-A-3",
                "issued_on": "2027-02-01",
                "since": "2027-03-01",
                "owed": yen("52800"),
            },
            {
                "invoice_id": "INV-A-4",
                "issued_on": "2027-02-02",
                "since": "2027-03-02",
                "owed": yen("1200"),
            },
        ],
        "totals": [yen("54000")],
    },
    "contract_ended": {"contract_id": "A-3", "ended_on": "2027-03-31"},
    "upsell_offer": {
        "offer_id": "offer-7",
        "product": "Team Plan",
        "seats": 100,
        "active_users": 97,
        "add": 20,
        "unit_price": yen("1000"),
        "per": "month",
        "mrr_change": yen("20000"),
        "expires": "2027-03-01",
    },
    "win_back": {"contract_id": "K-8"},
    "upsell_confirmed": {
        "product": "Team Plan",
        "seats": 120,
        "from": "2027-03-01",
        "mrr_change": yen("20000"),
    },
    "quote_presented": {
        "quote_id": "Q-17",
        "version": 2,
        "lines": QUOTE["lines"],
        "total": yen("1380000"),
        "mrr_change": yen("115000"),
        "valid_until": "2027-03-31",
    },
    "assets_changed": {
        "changes": [
            CHANGE,
            {
                **CHANGE,
                "product": "Support",
                "change": "end",
                "quantity_before": 1,
                "quantity": 1,
                "mrr": yen("100000"),
            },
            {**CHANGE, "product": PRODUCTS[1], "change": "added", "until": "", "fields": "region: eu"},
        ],
        "contracts": [{"contract_id": "A-3", "until": "2027-09-30"}],
    },
    "assets_transferred": {"changes": [{**CHANGE, "change": "handed_over"}], "contracts": []},
    "assets_received": {
        "changes": [{**CHANGE, "change": "received", "quantity_before": 0}],
        "contracts": [{"contract_id": "K.7", "until": "2027-09-30"}],
    },
    "reorder_check_in": {"last_order": "2027-01-04", "rhythm_days": 26, "products": PRODUCTS},
    "delivery_follow_up": {"order_id": "O-536365", "products": PRODUCTS},
    "case_opened": {**CASE, "answer_by": "2027-03-01T01:00:00+00:00"},
    "case_reply": {**CASE, "paragraphs": ["Please hold its button & wait.", "Does it blink?"]},
    "case_nudge": {**CASE, "since": "2027-03-01T01:00:00+00:00", "reason": "the model's name"},
    "case_apology": {**CASE, "milestone": "resolution"},
    "case_resolved": {**CASE, "paragraphs": ["We replaced the <X> cable."]},
    "case_survey": {**CASE, "survey_id": "C-17.3-1"},
    "price_match": {
        "order_id": "O-536365",
        "product": PRODUCTS[1],
        "quantity": 1200,
        "paid": yen("80000"),
        "paid_on": "2027-01-29",
        "now": yen("72000"),
        "refund": yen("10560000"),
        "tax": yen("960000"),
        "credit_memo": "CM-C-17-1",
    },
    "goodwill_granted": {"product": PRODUCTS[1], "refund": yen("5000"), "credit_memo": "CM-C-17-2"},
    "claim_declined": {
        "case_id": "C-17.3",
        "product": PRODUCTS[1],
        "refund": yen("1000000"),
        "timed_out": True,
    },
}

_LINE = {"description": PRODUCTS[1], "due": "2027-03-01", "amount": "1200000", "quantity": 1200}
DOCUMENTS: tuple[dict[str, Any], ...] = (
    {
        "kind": "invoice",
        "id": "INV-C-17-1",
        "issued_on": "2027-03-01",
        "net": yen("1200000"),
        "taxes": [{"rate": "10", "net": "1200000", "tax": "120000"}],
        "total": yen("1320000"),
        "lines": [_LINE],
    },
    {
        "kind": "credit_memo",
        "id": "CM-C-17-1",
        "issued_on": "2027-03-01",
        "net": yen("5000"),
        "taxes": [],
        "total": yen("5000"),
        "lines": [{**_LINE, "amount": "5000", "quantity": None}],
    },
)

NOTICE: dict[str, Any] = {
    "title": "Low adoption of Team Plan",
    "company": "Capricorn Coffee",
    "account_id": "C-17",
    "lines": ["42 of 1,200 seats are in use.", "Call the customer."],
    "words": [["It stands still.", "Since nine."], ["Jo"]],
    "answers": "C-17",
    "due": "2027-03-01T00:00:00+00:00",
}


def a_mail(template: str = "go_live", language: str = "ja", **changes: Any) -> OutgoingMail:
    """A mail of `template` with its sample context; `changes` replace fields, those of the context key by key."""
    context = NOTICE if template == "notice" else COMMON | CONTEXTS[template]
    fields: dict[str, Any] = {
        "delivery_id": "journey:C-17/go-live:O-1/go_live",
        "template": template,
        "to_name": "田中 花子",
        "to_email": "hanako@capricorn.example",
        "language": language,
        "time_zone": "Asia/Tokyo",
        "at": AT,
        "reply_to": "aoi@meridian.example",
        "unsubscribe": "tok-123",
        **changes,
    }
    return OutgoingMail(**{**fields, "context": context | changes.get("context", {})})
