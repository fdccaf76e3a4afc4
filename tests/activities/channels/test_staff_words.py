"""What our people are told in their own language: whole, or in English."""

from __future__ import annotations

import re

import pytest

from activities.channels.staff_words import StaffWords, sentences
from activities.playbooks import read_playbooks
from domain.frame.notice_acts import VERBS
from domain.journey.registry import JOURNEY
from tests.plain_words import of_machines

JA = StaffWords(sentences("ja"), read_playbooks().titles()["ja"])


def places(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)(?::[tr])?\}", text))


@pytest.mark.parametrize(("english", "says"), sentences("ja"))
def test_a_sentence_says_the_same_in_both_languages(english: str, says: str) -> None:
    assert places(says) <= places(english)
    left = re.sub(r"\{\w+\}", "", says)
    assert not re.search(r"[A-Za-z]{2,}", left), says


def test_what_people_are_told_names_no_request_and_no_command() -> None:
    said = [text for sentence in sentences("ja") for text in sentence]
    assert of_machines(*(re.sub(r"\{\w+(?::[tr])?\}", "", text) for text in said)) == []


@pytest.mark.parametrize("update", VERBS)
def test_what_a_notice_offers_can_be_asked_and_has_a_verb_in_both_languages(update: str) -> None:
    assert update in JOURNEY
    assert JA.said(VERBS[update])


@pytest.mark.parametrize(
    ("english", "japanese"),
    [
        ("Due soon: Kickoff meeting", "期日が近づいています：キックオフミーティング"),
        ("Late: Training is 5 days late", "遅延：利用者向け研修が5日遅れています"),
        ("Sales is held back: case C-1, urgent, waiting for the customer: pressing case",
         "営業を控えています：案件C-1（緊急・お客様の回答待ち）：急を要する案件"),
        ("Assets changed: Desk: 60 to 70 units from 2027-01-21, +13600 JPY a month",
         "契約内容の変更：Desk：2027-01-21から60→70単位（月額+13600 JPY）"),
        ("Assets changed: Care: 1 unit swapped for Care 360 from 2027-08-02, -20000 JPY a month",
         "契約内容の変更：Care：2027-08-02から1単位をCare 360に切り替え（月額-20000 JPY）"),
        ("25 % of 40 seats in use on average; use -50 % in 28 days; onboarding done; no survey answered",
         "1日平均で40席の25 %を利用；28日間の利用の増減-50 %；利用開始の準備は完了；アンケート回答なし"),
        ("Case C-1 is open for 1 working hour 30 minutes", "案件C-1が対応中のまま営業時間で1時間30分経過"),
        ("the renewal is near: case C-1, medium, open: escalated; case C-1, medium, open: resolution late",
         "更新時期が近づいています：案件C-1（中・対応中）：エスカレーション中；案件C-1（中・対応中）：解決の遅れ"),
        ("The support of C-1's customer has ended: CARE", "案件C-1のお客様のサポート契約が終了しています：CARE"),
        ("Nobody has called yet: Call a detractor (3 of 10)",
         "まだ連絡がついていません：低評価（10点中3点）のお客様への連絡"),
        ("Nobody called, and automatic mails go again: Call a detractor (3 of 10)",
         "連絡のないまま、自動メールが再開しました：低評価（10点中3点）のお客様への連絡"),
        ("What had waited: offer of help; renewal quote for K-1.",
         "止まっていたもの：活用支援のご提案；契約K-1の更新見積"),
        ("Quote Q-7 waits for approval by sales manager: 20 % off", "見積Q-7が営業マネージャーの承認待ち：値引き20 %"),
        ("Quote Q-7 waits for approval by head of trade: 20 % off", "見積Q-7がhead of tradeの承認待ち：値引き20 %"),
        ("Holds overridden by Sam (service manager) until 2027-01-05 14:00: They asked for it.",
         "Sam（サービスマネージャー）が2027-01-05 14:00まで保留を解除：They asked for it."),
        ("Sales is held back: “They are moving house; call later” and 1 more",
         "営業を控えています：「They are moving house; call later」ほか1件"),
        ("“They are moving house; call later”; case C-1, medium, open: escalated",
         "「They are moving house; call later」；案件C-1（中・対応中）：エスカレーション中"),
        ("Handed over to you: Onboarding: Kickoff meeting is 5 days late (order SO-1)",
         "引き継ぎのお願い：利用開始：キックオフミーティングが5日遅れています（ご注文SO-1）"),
        ("Why: Kickoff meeting of order SO-1 was due on 2027-01-21 and is still open; it is up to: success manager",
         "理由：ご注文SO-1のキックオフミーティングは期日2027-01-21を過ぎて未完了です（担当：サクセス担当）"),
        ("Why: They use little of what they pay for; a call finds out what keeps them from it",
         "理由：ご契約に対して利用が少ないため、妨げになっていることを電話で伺います"),
        ("Task handed over by Sam to Rea: Win back: No order for 90 days; usual rhythm 30 days",
         "SamがタスクをReaに引き継ぎ：再開のお働きかけ：90日間ご注文なし（通常は30日ごと）"),
    ],
)  # fmt: skip
def test_what_is_told_is_told_in_japanese(english: str, japanese: str) -> None:
    assert JA.said(english) == japanese


def test_a_language_is_whole_or_not_used() -> None:
    lines = ["Kommt die Kasse?", "Please take it."]
    assert JA.notice("Case C-1 is yours", lines, own=(0,)) == (
        "案件C-1の担当になりました",
        ["Kommt die Kasse?", "対応をお願いします。"],
    )
    assert JA.notice("Case C-1 is yours", lines, own=()) is None
    assert JA.notice("A sentence that nobody knows", [], own=()) is None
    assert JA.said("Due soon: A task of our own playbook") is None


@pytest.mark.parametrize("language", ["en", "pt", "../ja", ""])
def test_other_languages_have_no_sentences(language: str) -> None:
    assert sentences(language) == ()
