from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from activities.channels.errors import ChannelUnavailableError
from activities.channels.mail import MailChannel
from activities.channels.notices import MailNotices, NoticeChannel
from domain.frame.messages import StaffNotice
from tests.activities.channels.smtp_server import Mailbox

NOTICE = StaffNotice(
    delivery_id="journey:C-17/adoption/check-in-2027-03/notice",
    to_name="佐藤 葵",
    to_email="aoi@meridian.example",
    title="Low adoption of Team Plan: 42 of 100 seats in use",
    account_id="C-17",
    company="カプリコーン珈琲株式会社",
    lines=("Call the customer and find out what keeps them from using it.",),
    due=datetime(2027, 3, 4, 0, 0, tzinfo=UTC),
    at=datetime(2027, 3, 1, 0, 0, tzinfo=UTC),
    time_zone="Asia/Tokyo",
)


async def test_a_notice_arrives_as_a_mail(channel: MailChannel, mailbox: Mailbox) -> None:
    notices: NoticeChannel = MailNotices(channel)
    message_id = await notices.send(NOTICE)
    message = mailbox.last()
    assert message["Message-ID"] == message_id
    assert mailbox.recipients == ["aoi@meridian.example"]
    assert message["Subject"] == "[カプリコーン珈琲株式会社] Low adoption of Team Plan: 42 of 100 seats in use"
    assert message["Content-Language"] == "en"
    assert message["List-Unsubscribe"] is None
    assert parsedate_to_datetime(message["Date"]) == NOTICE.at
    for part in message.iter_parts():
        words = " ".join(part.get_content().split())
        assert "C-17" in words
        assert "keeps them from using it." in words
        assert "Due: March 4, 2027 9:00 AM JST" in words.replace("\u202f", " ")


async def test_a_notice_is_sent_again_as_the_same(channel: MailChannel, mailbox: Mailbox) -> None:
    notices = MailNotices(channel)
    assert await notices.send(NOTICE) == await notices.send(NOTICE)
    assert mailbox.accepted[0] == mailbox.accepted[1]


async def test_a_notice_without_anything_to_do(channel: MailChannel, mailbox: Mailbox) -> None:
    await MailNotices(channel).send(NOTICE.having(due=None, lines=()))
    text = next(mailbox.last().iter_parts()).get_content()
    assert "Due" not in text
    assert "None" not in text


async def test_a_dead_server_is_unavailable(channel_with: Callable[..., MailChannel], mailbox: Mailbox) -> None:
    mailbox.replies["rcpt"] = "421 4.3.2 Shutting down"
    with pytest.raises(ChannelUnavailableError):
        await MailNotices(channel_with()).send(NOTICE)


@pytest.mark.parametrize(
    ("language", "more", "says", "leads_to"),
    [
        ("en", {}, "See the customer", "/customers/C-17"),
        ("ja", {}, "お客様を見る", "/customers/C-17"),
        ("en", {"acts": ("approve_renewal?contract_id=K-1",)}, "Approve or reject it", "/customers/C-17/acts/approve_renewal?contract_id=K-1"),
        ("ja", {"acts": ("approve_renewal?contract_id=K-1",)}, "承認または却下する", "/customers/C-17/acts/approve_renewal?contract_id=K-1"),
        ("en", {"case_id": "S-3"}, "See the case", "/cases/S-3"),
        ("en", {"account_id": "", "company": ""}, "See what is to be done", "/"),
    ],
)  # fmt: skip
async def test_a_notice_leads_to_where_the_console_has_what_it_asks(
    channel: MailChannel, mailbox: Mailbox, language: str, more: dict[str, Any], says: str, leads_to: str
) -> None:
    notice = NOTICE.having(title="Due today: welcome mail", language=language, **more)
    await MailNotices(channel).send(notice)
    assert "http" not in next(mailbox.last().iter_parts()).get_content()
    await MailNotices(channel, console="https://console.example/").send(notice)
    plain, page = [part.get_content() for part in mailbox.last().iter_parts()]
    colon = "：" if language == "ja" else ":"
    assert f"{says}{colon}https://console.example{leads_to}" in "".join(plain.split()).replace(
        "".join(says.split()), says
    )
    assert f'href="https://console.example{leads_to}"' in page


@pytest.mark.parametrize(
    ("language", "said", "instant", "title"),
    [
        ("en", "It is due on March 4, 2027.", "until March 5, 2027 9:00 AM JST", "Put off to March 9, 2027"),
        ("ja", "期日は2027年3月4日です。", "2027年3月5日 9:00 JST", "Put off"),
    ],
)
async def test_days_are_in_words_and_said_once(
    channel: MailChannel, mailbox: Mailbox, language: str, said: str, instant: str, title: str
) -> None:
    lines = ["It is due on 2027-03-04."]
    if language == "en":
        lines.append("Offer offer-A-1-2027-03-04 stands until 2027-03-05T00:00:00+00:00, not 2027-02-30.")
    notice = NOTICE.having(
        title="Put off to 2027-03-09" if language == "en" else "Due today: welcome mail",
        lines=(*lines, "Said by Jo: 2027-03-04"),
        own=(len(lines),),
        language=language,
    )
    await MailNotices(channel).send(notice)
    message = mailbox.last()
    text = " ".join(next(message.iter_parts()).get_content().split()).replace("\u202f", " ")
    assert said in text
    assert "Said by Jo: 2027-03-04" in text  # a person's own words
    assert "Due:" not in text
    assert "期日：2027" not in text
    if language == "en":
        assert instant in text
        assert "offer-A-1-2027-03-04" in text
        assert "2027-02-30" in text
        assert title in message["Subject"]


@pytest.mark.parametrize(
    ("language", "line", "said"),
    [
        ("en", "Total: 16200.00 GBP", "Total: £16,200.00"),
        ("en", "It came to 25000 JPY.", "It came to ¥25,000."),
        ("en", "Desk: 60 to 70 units from 2027-01-21, +13600 JPY a month", "from January 21, 2027, +¥13,600 a month"),
        ("en", "Desk: another price from 2027-01-21, -5000.5 EUR a month", "January 21, 2027, -€5,000.50 a month"),
        ("en", "20 ERP and 12 seats of K-2026 USD", "20 ERP and 12 seats of K-2026 USD"),
        ("ja", "Total: 16200.00 GBP", "合計：£16,200.00"),
        ("ja", "2000 JPY off 10000 JPY.", "￥10,000から￥2,000の値引き。"),
    ],
)
async def test_sums_are_written_as_everywhere_else(
    channel: MailChannel, mailbox: Mailbox, language: str, line: str, said: str
) -> None:
    notice = NOTICE.having(title="Due today: welcome mail", lines=(line, line), own=(1,), language=language, due=None)
    await MailNotices(channel).send(notice)
    text = " ".join(next(mailbox.last().iter_parts()).get_content().split())
    assert said in text
    assert line in text  # people's own words stay as they are


@pytest.mark.parametrize(
    ("language", "first", "second"),
    [
        ("en", "Due today: Kickoff", "Health fell to watch"),
        ("ja", "本日期日：送付", "健全性が「要注意」に下がりました"),
    ],
)
async def test_what_one_person_is_told_at_one_instant_is_one_mail(
    channel: MailChannel, mailbox: Mailbox, language: str, first: str, second: str
) -> None:
    title = "Due today: Kickoff" if language == "en" else "Due today: posting"
    titles = {"ja": {"posting": "送付"}}
    notice = NOTICE.having(title=title, language=language)
    fell = notice.having(delivery_id="other", title="Health fell to watch", lines=("no case is open",), due=None)
    sent = await MailNotices(channel, titles=titles, console="https://console.example").send(notice, [fell])
    message = mailbox.last()
    assert message["Message-ID"] == sent
    assert len(mailbox.accepted) == 1
    assert f"{first} · {second}" in message["Subject"]
    for part in message.iter_parts():
        words = " ".join(part.get_content().split())
        assert words.index(first) < words.index("2027") < words.rindex(second)
        assert ("no case is open" in words) is (language == "en")
