"""Rules for the mails about how customers use what they have, what they think of us, and the goods that they order."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from itertools import pairwise
from statistics import median
from typing import Any

from tests.reader.checking_in import since_the_last
from tests.reader.desk import Desk
from tests.reader.facts import LISTED, Facts


def kind_of(desk: Desk, code: str) -> str:
    row = desk.facts.one("product", code=code)
    return row["kind"] if row else ""


def check_in(desk: Desk) -> None:
    """What they have, how much of it is in use, and when they hear from us again."""
    facts = desk.facts
    low_score(desk)
    held = facts.held(desk.at)
    owned = {facts.names[code] for code in held}
    goods = _goods(desk)
    several = [_of_one(desk, one) for one in desk.each(_OF_SEVERAL)]
    said = desk.items()
    for name in said:
        desk.among("offer", name, owned | goods)
    if said and (missing := owned - set(said)):
        desk.wrong("offer", ", ".join(said), f"also {', '.join(sorted(missing))}")
    use = seats(
        desk,
        {"en": "O", "ja": ""},
        {"en": ", which is {share:percent}", "ja": "おります（利用率{share:percent}）"},
    )
    if several:
        known = {
            code
            for code, seats in held.items()
            if kind_of(desk, code) == "subscription" and list(facts.use(code, desk.at))
        }
        if len(several) < len(known):
            desk.wrong("offer", f"the use of {len(several)} products", f"of all {len(known)} whose use is known")
        since_the_last(desk, several[0], {facts.names[code] for code in known})
    else:
        since_the_last(desk, use, use_is(desk, use, None) if use is not None else set())
    following = desk.first(
        {"en": "We plan to be in touch again on {day:date}", "ja": "次回は{day:date}頃にご連絡を差し上げる予定"}
    )
    if following:
        _next_look(desk, following["day"])


_OF_SEVERAL = {
    "en": "\n- {product}: {active:int} of {seats} on {when}, which is {share:percent}\n",
    "ja": "\n- {product}：{when}で{seats}のうち{active:int}席（{share:percent}）\n",
}


def _of_one(desk: Desk, said: dict[str, Any]) -> dict[str, Any]:
    """The use of one product of several: its own figures, by its name."""
    counted = {"active": said["active"], "seats": int(desk.script.number(figures(said["seats"])[0]))}
    use_is(desk, {**counted, **_mean(desk, said["when"]), "share": said["share"]}, said["product"])
    return counted


def _mean(desk: Desk, when: str) -> dict[str, Any]:
    """Of which days a figure of several products is the mean; nothing for the count of one day."""
    found = desk.script.pattern({"en": "since {since:date}", "ja": "{since:date}以降"}[desk.script.language]).search(
        when
    )
    if found:
        return {"since": desk.script.value("date", found["since"])}
    return {"since": None} if "28" in when and ("day" in when or "日間" in when) else {}


def _goods(desk: Desk) -> set[str]:
    """Goods that they bought within a year."""
    facts = desk.facts
    recent = {
        o["order_id"]
        for o in facts.tables["sales_order"]
        if o["activated_on"] <= desk.today and (desk.today - o["activated_on"]).days <= 366
    }
    lines = (line for line in facts.tables["order_line"] if line["order_id"] in recent)
    return {facts.names[line["product_code"]] for line in lines if kind_of(desk, line["product_code"]) == "goods"}


def _next_look(desk: Desk, day: date) -> None:
    """A day to come, on which it was looked at again if the story went that far and nothing stood in the way."""
    if day <= desk.today:
        desk.wrong("date", day, "a day to come")
        return
    every = desk.facts.terms_of_play()["adoption"].get("every_days", 30)
    if (day - desk.today).days > 2 * every + (desk.facts.terms_of_play()["adoption"].get("write_every_days") or 0):
        desk.wrong("date", day, f"a day soon: it is looked at every {every} days")
    rows = desk.facts.tables["journal"]
    ends = max(row["at"] for row in rows)
    checks = sorted(desk.facts.day(row["at"]) for row in rows if "/adoption/check-in-" in row["key"])
    looked = day in checks
    over = any(row["title"].startswith(("Adoption ends", "Paused", "Step skipped", "Account changed")) for row in rows)
    ended = any(
        c["status"] == "ended" and facts_day <= day
        for c in desk.facts.tables["contract"]
        if (facts_day := desk.facts.day(c["status_at"]))
    )
    if not looked and desk.facts.day(ends) > day and not (over or ended):
        desk.wrong("date", day, "nothing happened on that day")


def seats(desk: Desk, opening: dict[str, str], closing: dict[str, str]) -> dict[str, Any] | None:
    """What the mail says of seats: in use, paid, and of what time; `closing` are the words after it, such as their share."""
    for when in (
        {"en": "n an average day of the last 28 days", "ja": "直近28日間の1日平均で"},
        {"en": "n an average day since {since:date}", "ja": "{since:date}以降の1日平均で"},
        {"en": "n {day:date}", "ja": "{day:date}には"},
    ):
        for noun, verb in (("seats", "were"), ("seats", "was"), ("seat", "was"), ("seat", "were")):
            said = desk.first(
                {
                    "en": f"{opening['en']}{when['en']}, {{active:int}} of your {{seats:int}} {noun} {verb} in use"
                    f"{closing['en']}",
                    "ja": f"{opening['ja']}{when['ja']}、{{seats:int}}席のうち{{active:int}}席をご利用いただいて"
                    f"{closing['ja']}",
                }
            )
            if said:
                return {"since": None, **said}
    return None


def _mean_since(desk: Desk, code: str, since: date | None) -> None:
    """A mean is of 28 days, or since the first day on which the product was in use."""
    days = [row["day"] for row in desk.facts.rows("usage_day", product_code=code) if row["day"] <= desk.today]
    first = min((day for day in days if day > desk.today - timedelta(days=56)), default=None)
    new = first is not None and first > desk.today - timedelta(days=27)
    if since is not None or new:
        desk.same("date", since, first if new else None)


def use_is(desk: Desk, use: dict[str, Any], product: str | None) -> set[str]:
    """The seats in use are those of a product that they have, at the instant at which the mail leaves, whenever it was written.

    `since`, if that is said: the first day of which they are the mean. Returns the products of which they can be.
    """
    facts = desk.facts
    right = defaultdict(set)
    for code, seats in facts.held(desk.at).items():
        if kind_of(desk, code) == "subscription" and product in (None, facts.names[code]):
            for active in facts.use(code, desk.at):
                right[_whole(active), seats].add(facts.names[code])
    fitting = right.get((use["active"], use["seats"]), set())
    if not fitting:
        shown = "; ".join(sorted(f"{active} of {seats}" for active, seats in right)) or "no use is known"
        desk.wrong("count", f"{use['active']} of {use['seats']}", shown)
    elif (share := use.get("share")) is not None:
        desk.among("count", share, _percents(Decimal(use["active"]) / use["seats"]))
    codes = [code for code, name in facts.names.items() if name in fitting]
    if "since" in use and len(codes) == 1 and not use.get("day"):
        _mean_since(desk, codes[0], use["since"])
    return fitting


def _whole(value: Decimal) -> int:
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


def _percents(share: Decimal) -> set[Decimal]:
    """A share in whole percent; it may have been rounded to a tenth before."""
    tenth = (share * 100).quantize(Decimal("0.1"), rounding=ROUND_HALF_EVEN)
    return {
        n.quantize(Decimal(1), rounding=way) for n in (share * 100, tenth) for way in (ROUND_HALF_UP, ROUND_HALF_EVEN)
    }


def _table_of_use(desk: Desk, product: str) -> Decimal | None:
    """The table of seats in use, and the share that it says."""
    name = {"en": "Seats in use on an average day of the last 28 days", "ja": "ご利用中の席数（直近28日間の1日平均）"}
    said, of = desk.fact(name, "text"), {"since": None}
    for words in (
        {
            "en": "Seats in use on an average day since {since:date} | {v:text}",
            "ja": "ご利用中の席数（{since:date}以降の1日平均） | {v:text}",
        },
        {"en": "Seats in use on {day:date} | {v:text}", "ja": "ご利用中の席数（{day:date}） | {v:text}"},
    ):
        if said is None and (found := desk.first(words)):
            said, of = found["v"], found
    share = desk.fact({"en": "Share in use", "ja": "利用率"}, "percent")
    if said is None:
        desk.wrong("unsaid", desk.letter.subject, "the seats in use")
        return None
    numbers = [int(desk.script.number(n)) for n in figures(said)]
    use_is(desk, {**of, "active": numbers[0], "seats": numbers[1], "share": share}, product)
    return share  # type: ignore[no-any-return]


def figures(text: str) -> list[str]:
    return re.findall(r"\d[\d.,’\u00a0\u202f]*\d|\d", text)


def outreach(desk: Desk) -> None:
    """Use is low: by the figures, and lower than we aim for."""
    in_place(desk)
    for other in desk.each(
        {
            "en": "\n- {product}: {active:int} of {seats} in use\n",
            "ja": "\n- {product}：{seats}席のうち{active:int}席をご利用中\n",
        }
    ):
        counted = {"active": other["active"], "seats": int(desk.script.number(figures(other["seats"])[0]))}
        desk.among("offer", other["product"], {desk.facts.names[code] for code in desk.facts.held(desk.at)})
        use_is(desk, counted, other["product"])
    said = desk.must({"en": "Can we help you get more out of {product}?\n", "ja": "{product}のご活用についてのご提案"})
    product = (said["product"] if said else "").partition("】")[2] or (said["product"] if said else "")
    named(desk, product)
    share = _table_of_use(desk, product)
    low = Decimal(desk.facts.terms_of_play()["adoption"].get("low") or "0.4") * 100
    aim = desk.fact(
        {"en": "We aim for at least", "ja": "目安とする利用率"}, "percent" if desk.script.language == "en" else "text"
    )
    if isinstance(aim, str):
        aim = Decimal(figures(aim)[0])
    desk.same("count", aim, low.quantize(Decimal(1)))
    if share is not None and share > low:
        desk.wrong("offer", share, f"it is not under {low}")
    desk.fixed({"en": "Would half an hour this week suit you", "ja": "30分ほどお打ち合わせ"})
    desk.fixed({"en": "Dear"})


def in_place(desk: Desk) -> None:
    """What it comes in place of: the check-in that the last one promised, for a day to come."""
    said = desk.first(
        {
            "en": "in place of the one that we had planned for {day:date}.",
            "ja": "{day:date}頃に予定しておりましたご連絡は、本メールに代えさせていただきます",
        }
    )
    if said is None:
        return
    promised = [
        row["body"]["context"].get("next_on")
        for row in sorted(desk.facts.tables["outbox"], key=lambda row: row["created_at"])
        if row["body"].get("template") == "check_in" and row["created_at"] <= desk.at
    ]
    desk.same("date", said["day"].isoformat(), promised[-1] if promised else None)
    if said["day"] <= desk.today:
        desk.wrong("date", said["day"], "a day to come")


def named(desk: Desk, product: str) -> None:
    """The product is one that they have, and may be named in every sentence."""
    desk.among("offer", product, {desk.facts.names[code] for code in desk.facts.held(desk.at)})
    if product:
        desk.own_words(product)


def recovered(desk: Desk) -> None:
    """Use is back above what ends help, and help was given; of several products, each of them."""
    in_place(desk)
    enough = Decimal(desk.facts.terms_of_play()["adoption"].get("recovered") or "0.5") * 100
    several = list(
        desk.each(
            {
                "en": "\n- {product}: {active:int} of {seats} in use on {when}, which is {share:percent}\n",
                "ja": "\n- {product}：{when}で{seats}のうち{active:int}席をご利用中（{share:percent}）\n",
            }
        )
    )
    for one in several:
        counted = {"active": one["active"], "seats": int(desk.script.number(figures(one["seats"])[0]))}
        use_is(desk, {**counted, "share": one["share"]}, one["product"])
        if one["share"] < enough - 1:
            desk.wrong("count", one["share"], f"at least {enough}")
    if several:
        desk.fixed({"en": "Good progress at"}, {"ja": "】各製品のご利用が広がっております"})
        return
    said = desk.must({"en": "Good progress with {product}\n", "ja": "】{product}のご利用が広がっております"})
    product = said["product"] if said else ""
    named(desk, product)
    share = _table_of_use(desk, product)
    if share is not None and share < enough - 1:
        desk.wrong("count", share, f"at least {enough}")


def survey(desk: Desk) -> None:
    """One question on a scale that is fixed; its number is on record as sent to this address."""
    said = desk.must({"en": "Reference: {id:id}\n", "ja": "アンケート番号：{id:id}\n"})
    row = desk.facts.one("survey", survey_id=said["id"]) if said else None
    if row is None:
        desk.wrong("offer", said["id"] if said else "", "a survey that is on record")
    elif row["sent_to"]:
        desk.same("name", desk.letter.to_email.lower(), row["sent_to"])
        asked = {desk.facts.day(at) for at in (desk.letter.created_at, desk.at)}
        desk.among("date", desk.facts.day(row["sent_at"]), asked)
    asks = {
        "nps": {
            "en": "from 0 (not at all likely) to 10 (extremely likely)",
            "ja": "0（まったく思わない）から10（強くそう思う）まで",
        },
        "ces": {
            "en": "from 1 (very difficult) to 7 (very easy)",
            "ja": "1（とても難しかった）から7（とても容易だった）まで",
        },
    }
    desk.fixed(
        asks[row["kind"] if row else "nps"],
        {"en": "One short question", "ja": "（1問・約1分）"},
        {"ja": "1問だけのアンケート"},
    )


def survey_thanks(desk: Desk) -> None:
    """What they answered, and by when somebody gets in touch: that is somebody's task."""
    said = desk.must(
        {
            "en": "You answered {score:int} of {of:int}",
            "ja": "アンケートに{of:int}点満点中{score:int}点とご回答いただき",
        }
    )
    if said:
        _is_their_score(desk, said)
    called = desk.first(
        {
            "en": "{caller} will get in touch with you by {day:date}",
            "ja": "詳しいお話を伺いたく、{day:date}までに{caller}より",
        }
    )
    if called:
        tasks = [row for row in desk.facts.tables["staff_task"] if row["key"].startswith("survey/")]
        desk.among("date", called["day"], {desk.facts.day(row["due_at"]) for row in tasks})


def _is_their_score(desk: Desk, said: dict[str, Any]) -> None:
    """A low score that they gave: of that scale, and on that day if one is named."""
    kind = {10: "nps", 7: "ces"}.get(said["of"], "")
    given = [
        row for row in desk.facts.rows("survey", kind=kind) if row["answered_at"] and row["answered_at"] <= desk.at
    ]
    days = {(row["score"], desk.facts.day(row["answered_at"])) for row in given}
    if not any(score == said["score"] and said.get("day") in (None, day) for score, day in days):
        desk.wrong("count", f"{said['score']} of {said['of']}", str(sorted(days)))


def low_score(desk: Desk) -> None:
    """What a check-in says of a low score: given on that day, and followed up by a person or not."""
    asked = {
        "en": "On {day:date} you answered {score:int} of {of:int} when we asked",
        "ja": "{day:date}に、{about}についてのアンケートに{of:int}点満点中{score:int}点とご回答いただ",
    }
    said = desk.first(asked)
    owed = desk.first({"en": "Nobody has talked to you about it yet", "ja": "その後お話を伺えておらず"}) is not None
    if not said:
        return
    _is_their_score(desk, said)
    tasks = [row for row in desk.facts.tables["staff_task"] if row["key"].startswith("survey/")]
    if owed is not any(row["closed_at"] is None or row["closed_at"] > desk.at for row in tasks):
        desk.wrong("offer", desk.letter.subject, "whether somebody has followed their answer up, as it is on record")


def reference(desk: Desk) -> None:
    """One question, which is on record as sent to this address."""
    said = desk.must({"en": "Reference: {id:id}\n", "ja": "お問い合わせ番号：{id:id}\n"})
    row = desk.facts.one("reference_ask", reference_id=said["id"]) if said else None
    if row is None:
        desk.wrong("offer", said["id"] if said else "", "a question that is on record")
    else:
        desk.same("name", desk.letter.to_email.lower(), row["sent_to"])


def delivery_follow_up(desk: Desk) -> None:
    """An order of theirs with its goods."""
    said = list(desk.each({"en": "Has everything arrived? Your order {id:id}\n", "ja": "到着のご確認（{id:id}）"}))
    said += list(desk.each({"en": "Thank you for your order {id:id}. Has", "ja": "ご注文（{id:id}）をいただき"}))
    own = desk.letter.stage.partition(":")[2]
    for one in said:
        desk.same("offer", one["id"], own)
    lines = list(desk.facts.rows("order_line", order_id=own))
    bought = {desk.facts.names[row["product_code"]] for row in lines}
    items = desk.items()
    for name in items:
        desk.among("offer", name, bought)
    goods = {
        desk.facts.names[row["product_code"]]
        for row in lines
        if kind_of(desk, row["product_code"]) in ("goods", "device")
    }
    if items and len(items) < LISTED and (missing := goods - set(items)):
        desk.wrong("offer", ", ".join(items), f"also {', '.join(sorted(missing))}")


def rhythm(facts: Facts, at: datetime) -> tuple[list[date], int]:
    """The days on which goods were ordered by an instant, and the usual days between them."""
    known = facts.known_by(at, "sales_order", "recorded_at", sells_goods=True)
    days = sorted({o["activated_on"] for o in known if o["activated_at"] <= at})
    bounds = {
        "shortest_days": 14,
        "longest_days": 180,
        "first_rhythm_days": 60,
        **facts.terms_of_play().get("reorder", {}),
    }
    gaps = [(b - a).days for a, b in pairwise(days)]
    usually = round(median(gaps)) if gaps else bounds["first_rhythm_days"]
    return days, max(bounds["shortest_days"], min(bounds["longest_days"], usually))


def reorder_check_in(desk: Desk) -> None:
    """When they ordered last, and how often they do."""
    facts = desk.facts
    days, right = rhythm(facts, desk.at)
    last = desk.must({"en": "You last ordered from us on {day:date}", "ja": "前回のご注文（{day:date}）から"})
    usual = desk.first(
        {"en": "you usually order about every {days:int} days", "ja": "いつもは{days:int}日ほどの間隔で"}
    ) or desk.first({"en": "you usually order about every {days:int} day"})
    if last:
        desk.same("date", last["day"], days[-1] if days else None)
    gaps = len(days) > 1
    if usual and not gaps:
        desk.wrong("tenure", f"usually about every {usual['days']} days", "they ordered once")
    elif usual:
        desk.same("count", usual["days"], right)
    elif gaps:
        desk.wrong("unsaid", desk.letter.subject, f"how often they order: about every {right} days")
    if days and (desk.today - days[-1]).days < right:
        desk.wrong("date", days[-1], "their usual time has not passed")
    bought = {facts.names[line["product_code"]] for line in facts.tables["order_line"]}
    for name in desk.items():
        desk.among("offer", name, bought)


def play_note(desk: Desk) -> None:
    """Words that a playbook of theirs has in it, whole, in the reader's language or in English."""
    said = [
        words
        for book in desk.facts.rows("playbook")
        for play in book["body"].get("plays", ())
        for words in [(play.get("mail") or {}).get("words") or {}]
    ]
    mine = [words.get(desk.script.language) or words["en"] for words in said if words]
    found = next((one for one in mine if one["subject"] == desk.letter.subject), None)
    if found is None:
        desk.wrong("offer", desk.letter.subject, "no playbook of theirs says it")
    elif not (desk.own_words(found["subject"]) and desk.own_words(found["text"])):
        desk.wrong("unsaid", desk.letter.subject, "what the playbook says")


RULES = {
    rule.__name__: rule
    for rule in (
        check_in, outreach, recovered, survey, survey_thanks, reference, delivery_follow_up, reorder_check_in, play_note,
    )
}  # fmt: skip
