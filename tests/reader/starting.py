"""Rules for the mails of onboarding, and for those that say since when or by whom a customer is looked after."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from tests.reader.care import kind_of
from tests.reader.desk import Desk, add_years, people
from tests.reader.facts import LISTED, Row

TERM_KINDS = ("subscription", "support")


def welcome(desk: Desk) -> None:
    """A first order's customer is welcomed, with what was ordered, the dates that were promised, and who looks after them."""
    facts = desk.facts
    order_id = desk.letter.stage.partition(":")[2]
    order = facts.one("sales_order", order_id=order_id)
    if order is None:
        desk.wrong("offer", order_id, "an order of theirs")
        return
    earlier = [o for o in facts.tables["sales_order"] if o["activated_at"] < order["activated_at"]]
    new = {
        "en": "Thank you for choosing {x}. We are delighted to have {company} as a customer.",
        "ja": "お選びいただき、誠に",
    }
    thanks = desk.first(new)
    if thanks and "company" in thanks:
        desk.same("name", thanks["company"], facts.account["name"])
        desk.same("name", thanks["x"], desk.letter.sender.rpartition(" <")[0].strip('"'))
    if thanks and earlier and "再び" not in desk.letter.text:
        since = min(o["activated_on"] for o in earlier)
        desk.wrong("tenure", desk.letter.subject, f"no welcome: they are a customer since {since}")
    for words in (
        {"en": "Your order {id:id}\n", "ja": "ご注文ありがとうございます（{id:id}）"},
        {"en": "Thank you for your order {id:id}.", "ja": "ご注文（{id:id}）をいただき"},
    ):
        for named in desk.each(words):
            desk.same("offer", named["id"], order_id)
    if back := desk.first({"en": "We are glad to have {company} back as a customer"}):
        desk.same("name", back["company"], facts.account["name"])
        if not earlier:
            desk.wrong("tenure", desk.letter.subject, "they are new")
    _bought(desk, desk.items(), order)
    _schedule(desk, desk.letter.stage)
    manager = people(facts, "success_manager", desk.at)
    said = desk.first(
        {
            "en": "{name} is your personal contact and will be with you at every step",
            "ja": "今後は、{name}が担当としてご支援いたします",
        }
    )
    if said and said["name"] != "私":
        desk.same("name", said["name"], manager["name"] if manager else None)


def _bought(desk: Desk, said: list[str], order: Row) -> None:
    """What an order of the day brought, and nothing else."""
    facts = desk.facts
    day = [o["order_id"] for o in facts.tables["sales_order"] if o["activated_on"] == order["activated_on"]]
    lines = [line for line in facts.tables["order_line"] if line["order_id"] in day]
    bought = {facts.names[line["product_code"]] for line in lines}
    own = {facts.names[line["product_code"]] for line in lines if line["order_id"] == order["order_id"]}
    for name in said:
        desk.among("offer", name, bought)
    if said and len(said) < LISTED and (missing := own - set(said)):
        desk.wrong("offer", ", ".join(said), f"also {', '.join(sorted(missing))}")


def _schedule(desk: Desk, stage: str) -> None:
    """The tasks that were promised, each with its day."""
    promised = [row for row in desk.facts.rows("onboarding_task") if row["stage"] == stage and row["owner"] != "system"]
    titles = {title_of(desk, row): row for row in promised}
    said = []
    for cells in desk.rows(2):
        said.append(cells[0])
        if not desk.among("offer", cells[0], titles):
            continue
        due = titles[cells[0]]["due_on"]
        if cells[1]:
            desk.same("date", desk.script.date(cells[1]), due)
            if due < desk.today:
                desk.wrong("date", cells[1], "a day to come")
    still = {title for title, row in titles.items() if row["completed_at"] is None or row["completed_at"] > desk.at}
    if said and (missing := still - set(said)):
        desk.wrong("offer", ", ".join(said), f"also {', '.join(sorted(missing))}")


def title_of(desk: Desk, row: Row) -> str:
    """What a task is called in the reader's language."""
    title: dict[str, str] = row["title"]
    return title.get(desk.script.language) or title["en"]


def provisioning_done(desk: Desk) -> None:
    """Set up is what the provisioning service has answered for."""
    facts = desk.facts
    answered = {
        item["product"]
        for row in facts.rows("outbox", channel="provision", status="sent")
        if row["settled_at"] <= desk.at + timedelta(seconds=1)
        for item in row["body"]["items"]
    }
    ready = {facts.names[code] for code in answered if code in facts.names}
    held = {facts.names[code] for code in facts.held(desk.at)}
    said = desk.items()
    for name, day in desk.rows(2):  # what begins on a later day
        later = {
            facts.day(min(period["starts_at"] for period in periods))
            for asset in facts.tables["asset"]
            if facts.name_of(asset) == name and (periods := list(facts.rows("period", asset_id=asset["asset_id"])))
        }
        desk.among(
            "date", desk.script.date(day), {first for first in later if first > facts.day(desk.letter.created_at)}
        )
    if not ready:
        desk.wrong("offer", desk.letter.subject, "nothing was provided")
    for name in said:
        if desk.among("offer", name, ready) and name not in held:
            desk.wrong("offer", name, "it has not begun, nobody can use it yet")
    desk.fixed({"en": "yours to use from its first day"})


def onboarding_invite(desk: Desk) -> None:
    """A step that is still open, with its day; late only if that has passed."""
    step = desk.fact({"en": "Step", "ja": "内容"}, "text")
    due = desk.fact({"en": "Planned by", "ja": "予定日"}, "date")
    late = desk.first(
        {
            "en": "was planned by {due:date} and has not taken place yet",
            "ja": "{due:date}までの実施を予定しておりました",
        }
    )
    _open_step(desk, step or next(iter(desk.items()), ""), late["due"] if late else due, late=late is not None)
    desk.first({"en": "Your next step: {title}\n", "ja": "「{title}」のご案内"})


def onboarding_reminder(desk: Desk) -> None:
    """A step that is still open: due soon, or so many days late."""
    late = desk.first(
        {
            "en": "was planned by {due:date} and has been open for {days:int} day since then",
            "ja": "{due:date}を期日としておりました下記の件につきまして、期日から{days:int}日が経過しております",
        }
    ) or desk.first({"en": "was planned by {due:date} and has been open for {days:int} days since then"})
    soon = desk.first({"en": "is due by {due:date}:", "ja": "下記の件の期日（{due:date}）が近づいて"})
    said = late or soon
    _open_step(desk, next(iter(desk.items()), ""), said["due"] if said else None, late=late is not None)
    if late:
        desk.same("count", late["days"], (desk.today - late["due"]).days)
    desk.fixed(
        {"en": "Still open: {title}\n", "ja": "「{title}」のご状況について"},
        {"en": "A friendly reminder: {title}\n", "ja": "「{title}」の期日が近づいて"},
        {"en": "One step of your start"},
    )


def _open_step(desk: Desk, title: str, due: date | None, *, late: bool) -> None:
    """A task of one of their onboardings that is still to be done, by this day."""
    desk.own_words(title)
    tasks = [row for row in desk.facts.tables["onboarding_task"] if title_of(desk, row) == title]
    written = desk.letter.created_at if desk.at - desk.letter.created_at < timedelta(minutes=1) else desk.at
    still = [row for row in tasks if row["completed_at"] is None or row["completed_at"] > written]
    if not still:
        desk.wrong("offer", title, "no such step is open")
        return
    desk.among("date", due, {_due_on(desk, row, written) for row in still})
    if due is not None and (due < desk.today) != late:
        desk.wrong("date", due, f"it is {desk.today}, so it is {'not ' if late else ''}late")


def _due_on(desk: Desk, task: Row, at: datetime) -> date:
    """The day on which a task was due as of an instant: its date may have moved since."""
    moved = [
        row
        for row in desk.facts.tables["onboarding_event"]
        if (row["stage"], row["name"], row["kind"]) == (task["stage"], task["name"], "moved")
    ]
    moved.sort(key=lambda row: row["at"])
    before = [row["due_on"] for row in moved if row["at"] <= at]
    found: date = before[-1] if before else moved[0]["was_due_on"] if moved else task["due_on"]
    return found


def onboarding_moved(desk: Desk) -> None:
    """Steps that are open and have a new date since a moment ago, each with the one that it had."""
    steps = list(desk.facts_named({"en": "Step", "ja": "内容"}, "text"))
    due = list(desk.facts_named({"en": "Due by", "ja": "期日"}, "date"))
    was = list(desk.facts_named({"en": "So far", "ja": "変更前"}, "date"))
    for title, day in zip(steps, due, strict=True):
        _open_step(desk, title, day, late=False)
    events = [row for row in desk.facts.tables["onboarding_event"] if row["kind"] == "moved" and row["at"] <= desk.at]
    for day in was:
        desk.among("date", day, {row["was_due_on"] for row in events})
    desk.fixed({"en": "If another date would suit you better", "ja": "ご都合が合わない場合は"})
    desk.first({"en": "A new date: {title}\n", "ja": "「{title}」"})


def touch_day_1(desk: Desk) -> None:
    """The day after a customer began, once they can use what they bought."""
    since = desk.facts.since()
    days = (desk.today - since).days
    if not 1 <= days <= 7:
        desk.wrong("tenure", desk.letter.subject, f"they are a customer since {since}, {days} days")
    asked = list(desk.facts.rows("outbox", channel="provision"))
    if asked and all(row["settled_at"] is None or row["settled_at"] > desk.at for row in asked):
        desk.wrong("offer", desk.letter.subject, "they have no access yet")
    desk.fixed({"en": "How was your first day"}, {"en": "Your first day with {seller} is behind you"})
    desk.fixed({"ja": "ご契約いただいてから最初の一日が過ぎました"})


def touch_month_1(desk: Desk) -> None:
    """About a month after a customer began: counted from the first day of what they bought."""
    since = desk.facts.since()
    days = (desk.today - since).days
    if not 28 <= days <= 40:
        desk.wrong("tenure", desk.letter.subject, f"they are a customer since {since}, {days} days")
    of_contracts = {one["asset_id"] for one in desk.facts.tables["asset"] if one["contract_id"]}
    periods = [row for row in desk.facts.tables["period"] if row["quantity"] and row["asset_id"] in of_contracts]
    began = [desk.facts.day(row["starts_at"]) for row in periods]
    used = (desk.today - max(since, min(began, default=since))).days
    about_a_month = {"en": "has been with us for about a month now", "ja": "早いものでおよそ1か月が経ちました"}
    if desk.first(about_a_month) is not None:
        if not 27 <= used <= 40:
            desk.wrong("tenure", desk.letter.subject, f"what they bought began {used} days ago")
        desk.fixed({"en": "Your first month with {seller}\n", "ja": "ご利用開始からおよそ1か月が経ちました"})
    elif used >= 27:
        desk.wrong("tenure", desk.letter.subject, f"what they bought began {used} days ago, about a month")
    else:
        desk.fixed({"en": "Your first days with"})
    desk.fixed({"en": "A line or two in reply"})


def _was_away(desk: Desk) -> date | None:
    """The day on which they came back, if nothing sold for a term was in force for some days before."""
    of_contracts = {one["asset_id"] for one in desk.facts.tables["asset"] if one["contract_id"]}
    held = (row for row in desk.facts.tables["period"] if row["quantity"] and row["asset_id"] in of_contracts)
    periods = [row for row in held if row["starts_at"] <= desk.at]
    for row in periods:
        earlier = [one for one in periods if one["starts_at"] < row["starts_at"]]
        if earlier and all(one["ends_at"] is not None and one["ends_at"] < row["starts_at"] for one in earlier):
            return desk.facts.day(row["starts_at"])
    return None


def touch_anniversary(desk: Desk) -> None:
    """So many years on the day, of somebody who is a customer still."""
    since = desk.facts.since()
    years = desk.today.year - since.year
    if add_years(since, years) != desk.today or years < 1:
        desk.wrong("tenure", desk.letter.subject, f"they are a customer since {since}")
    if desk.first({"en": "One year together"}) is not None:
        desk.same("tenure", 1, years)
    if (away := _was_away(desk)) is not None:
        desk.wrong("tenure", desk.letter.subject, f"they had left, and had nothing until {away}")
    for words in (
        {"en": "{years:int} years together", "ja": "ご契約{years:int}周年の御礼"},
        {"en": "It is {years:int} years since", "ja": "ご契約いただいてから{years:int}年を迎えました"},
    ):
        if said := desk.first(words):
            desk.same("tenure", said["years"], years)
    if desk.first({"en": "It is a year since"}) is not None:
        desk.same("tenure", 1, years)
    if not _is_customer(desk):
        desk.wrong("tenure", desk.letter.subject, "they own nothing any more")
    desk.fixed({"en": "in the year ahead"})


def _is_customer(desk: Desk) -> bool:
    """They hold something for a term, or bought within a year."""
    facts = desk.facts
    held = any(facts.tables["product"] and kind_of(desk, code) in TERM_KINDS for code in facts.held(desk.at))
    bought = [
        o["activated_on"] for o in facts.tables["sales_order"] if o["activated_on"] <= desk.today and o["sells_goods"]
    ]
    return held or any((desk.today - day).days <= 366 for day in bought)


def go_live(desk: Desk) -> None:
    """The last step of an onboarding is done; so many days passed from the order to the first result."""
    terms = desk.facts.terms_of_play()["onboarding"]
    done = [t for t in desk.facts.rows("onboarding_task", name=terms.get("last_task")) if t["completed_at"]]
    last = next((t for t in done if abs((t["completed_at"] - desk.letter.created_at).total_seconds()) < 2), None)
    if last is None:
        desk.wrong("offer", desk.letter.subject, "the go-live is not done")
        return
    stage = last["stage"]
    own = stage.partition(":")[2]
    lines = desk.facts.rows("order_line", order_id=own)
    bought = {desk.facts.names[line["product_code"]] for line in lines}
    for name in desk.items():
        desk.among("offer", name, bought)
    said = desk.first({"en": "It took {days:int} days from your order to your first result"})
    said = said or desk.first(
        {
            "en": "It took {days:int} day from your order to your first result",
            "ja": "ご注文から最初の成果まで、{days:int}日でございました",
        }
    )
    on_the_day = desk.first(
        {
            "en": "You had your first result on the very day of your order",
            "ja": "ご注文の当日に、最初の成果をお出しいただきました",
        }
    )
    if said or on_the_day:
        value = desk.facts.one("onboarding_task", stage=stage, name=terms.get("value_task"))
        order = desk.facts.one("sales_order", order_id=stage.partition(":")[2])
        if value is None or value["completed_at"] is None or order is None:
            desk.wrong("tenure", said or "on the day", "there is no first result")
            return
        passed = value["completed_at"] - order["activated_at"]
        right = {passed.days, (desk.facts.day(value["completed_at"]) - desk.facts.day(order["activated_at"])).days}
        desk.among("tenure", said["days"] if said else 0, right)
    desk.fixed({"en": "your first result", "ja": "最初の成果"})


def opted_out(desk: Desk) -> None:
    """They asked for it."""
    contact = desk.facts.one("contact", contact_id=desk.letter.contact_id)
    if contact and (contact["unsubscribed_at"] is None or contact["unsubscribed_at"] > desk.at + timedelta(seconds=1)):
        desk.wrong("offer", desk.letter.subject, "their mails were not stopped")


RULES = {
    rule.__name__: rule
    for rule in (
        welcome, provisioning_done, onboarding_invite, onboarding_reminder, onboarding_moved, touch_day_1, touch_month_1,
        touch_anniversary, go_live, opted_out,
    )
}  # fmt: skip
