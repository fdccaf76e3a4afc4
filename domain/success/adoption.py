"""Adoption: check-ins by cadence, and help when too few of the paid seats are used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

from domain.frame import pace
from domain.frame.customer import ContractStatus
from domain.frame.decision import CloseStaffTasks, Decision, JournalLine, Mail, Notice, OpenStaffTask
from domain.frame.mail_names import mail_in_words
from domain.frame.sales_holds import Purpose
from domain.frame.situation import Situation
from domain.frame.state import Outcome, Stage, Step
from domain.holds.guard import guard_of
from domain.success import asking, conversation, expansion, health_plays, low_scores, references, thanks
from domain.success import helping as helping_on
from domain.success.health import Health, SeatUse, seat_use

STAGE = asking.STAGE
STEADY = "steady"
HELPING = "helping"
HELP_TASK = helping_on.TASK
HELP_WHY = helping_on.WHY


def begin(situation: Situation, start_in: int) -> Outcome:
    """Adoption opens; the first check-in comes `start_in` days from today unless go-live moves it. Who had left is back."""
    plan = [check_in_after(situation, start_in), *asking.goes_on(situation)]
    drop = [thanks.WIN_BACKS, *asking.anew()]
    return Outcome(plan=plan, stages={STAGE: Stage(status=STEADY)}, drop=drop)


def after_go_live(situation: Situation, *, told: bool = False) -> Outcome:
    """Go-live: check-ins count from now on, and the surveys are planned. `told`: the customer hears of it by mail."""
    if not situation.customer.holds_term(situation.as_of):
        return Outcome()
    plan = [
        check_in_after(situation, situation.playbook.adoption.every_days),
        *asking.after_go_live(situation, told=told),
    ]
    return Outcome(plan=plan, drop=[f"{STAGE}/check-in-*"])


def check_in_after(situation: Situation, days: int) -> Step:
    """The check-in `days` from today, or after an anniversary that is about then."""
    day = situation.in_days(days)
    free = pace.clear_of_anniversaries(situation, day)
    return situation.step("adoption_check_in", STAGE, f"check-in-{day}", free)


def next_check_in(situation: Situation) -> Step:
    """The check-in that follows one of today."""
    return check_in_after(situation, situation.playbook.adoption.every_days)


def next_follow_up(situation: Situation) -> Step:
    """The look whether help that is offered now has helped."""
    day = situation.in_days(situation.playbook.adoption.follow_up_days)
    return situation.step("adoption_follow_up", STAGE, f"follow-up-{day}", day)


def check_in(situation: Situation, step: Step, health: Health) -> Decision:
    """The regular look at a customer's use and health; the next one is planned from it."""
    waiting = any(contract.status != ContractStatus.ENDED for contract in situation.customer.contracts)
    if not waiting and not situation.customer.holds_term(situation.as_of):
        return Decision(
            JournalLine("Adoption ends: nothing sold for a term is left"), Outcome(stages={STAGE: None}, drop=[STAGE])
        )
    following = next_check_in(situation)
    looked = _look(situation, health, conversation.told_next(situation, _coming(situation, following)) or "")
    return looked + Outcome(plan=[following])


def _coming(situation: Situation, step: Step) -> Iterator[Step]:
    """A check-in and those that follow it, for a year."""
    last = situation.as_of + timedelta(days=400)
    while step.at < last:
        yield step
        step = next_check_in(replace(situation, as_of=step.at))


def next_told(situation: Situation, day: date) -> str | None:
    """The day that a check-in which leaves now names as the next one, `day` being that of the next look."""
    return conversation.told_next(
        situation, _coming(situation, situation.step("adoption_check_in", STAGE, "check-in", day))
    )


def review(situation: Situation, step: Step, health: Health) -> Decision:
    """Usage crossed a threshold between two check-ins: look now, say nothing if all is well."""
    return _look(situation, health, None, quiet=True)


def follow_up(situation: Situation, step: Step, health: Health) -> Decision:
    """Two weeks after help was offered: has it helped?"""
    if HELP_TASK not in _open_tasks(situation):
        return Decision(JournalLine("Follow-up: no help is running", kind="skipped"))
    looks = situation.looks
    checked = looks.checked_in_at if looks else None
    if checked is not None and situation.customer.day_of(checked) == situation.today and _has_had_time(situation):
        line = JournalLine("Follow-up: the check-in of today has looked at it", kind="skipped")
        return Decision(line, Outcome(plan=_looked_at_again(situation, helping_on.taken(situation))))
    looked = _look(situation, health, None)
    uses = helping_on.settled(situation, seat_use(situation.customer, situation.playbook, situation.as_of))
    if uses and uses[0].share >= situation.playbook.adoption.recovered:
        return looked
    steps = helping_on.taken(situation)
    low = helping_on.low(situation, uses)
    if low and helping_on.goes_on(situation, steps):
        says = f"Adoption of {low[0].asset.product_name} is still low: {low[0].says}"
        further = helping_on.further(situation, says, low)
        if any(_for_owner(situation, one) for one in further.notices):  # whoever takes the next step hears it once
            looked = replace(looked, notices=[one for one in looked.notices if one.title != says])
        looked += further
        steps += 1
    return looked + Outcome(plan=_looked_at_again(situation, steps))


def _for_owner(situation: Situation, notice: Notice) -> bool:
    """True for what the owner hears, be it as the one who looks after their success as well."""
    customer = situation.customer
    return notice.to == "owner" or customer.success_manager.staff_id == customer.owner.staff_id


def _looked_at_again(situation: Situation, steps: int) -> list[Step]:
    """The next look at help of which so many steps have followed on its mail; none once a person has the last one."""
    return [next_follow_up(situation)] if helping_on.goes_on(situation, steps) else []


def _has_had_time(situation: Situation) -> bool:
    """True once the help that is under way is as old as it is when the follow-up looks at it: before that nobody is told that
    it has not helped."""
    since = situation.looks.help_since if situation.looks else None
    wait = timedelta(days=situation.playbook.adoption.follow_up_days)
    return since is None or situation.customer.day_of(since) + wait <= situation.today


def _told_lately(situation: Situation) -> bool:
    """True if the follow-up has told it lately: a check-in says it again only as long after it as help is given to help."""
    followed = situation.looks.followed_up_at if situation.looks else None
    wait = timedelta(days=situation.playbook.adoption.follow_up_days)
    return followed is not None and situation.customer.day_of(followed) + wait > situation.today


def _look(situation: Situation, health: Health, next_on: str | None, *, quiet: bool = False) -> Decision:
    """The one look that check-ins, follow-ups and reviews share: score health, then help, end help, offer seats, or just report."""
    uses = seat_use(situation.customer, situation.playbook, situation.as_of)
    helping = HELP_TASK in _open_tasks(situation)
    settled, low = helping_on.settled(situation, uses), helping_on.low(situation, uses)
    if low and not (helping and quiet):
        decision = _still_low(situation, low[0], next_on) if helping else _help(situation, low)
    elif helping and settled and settled[0].share >= situation.playbook.adoption.recovered:
        decision = _recovered(situation, settled)
    elif offer := expansion.offer_for(situation, uses, health):
        decision = offer
    else:
        decision = _report(situation, uses, next_on)
    return decision + health_plays.scored(situation, health)


def _help(situation: Situation, low: list[SeatUse]) -> Decision:
    use = low[0]
    says = f"Low adoption of {use.asset.product_name}: {use.says}"
    due_at, due_on = situation.customer.morning(situation.in_days(3))
    return Decision(
        JournalLine(f"{says}; an offer of help follows", kind="adoption_outreach", detail=conversation.figures_of(use)),
        Outcome(
            plan=[next_follow_up(situation)],
            stages={STAGE: Stage(status=HELPING)},
            attention={"low_adoption": says},
            said=[says],
        ),
        [OpenStaffTask(HELP_TASK, says, "success_manager", due_at, HELP_WHY)],
        [_outreach(situation, low)],
        [
            Notice(
                says,
                [
                    "Call the customer and find out what keeps them from using it.",
                    *helping_on.others(low),
                    f"Please do so by {due_on}.",
                ],
                due=due_at,
                task=HELP_TASK,
            )
        ],
    )


def _outreach(situation: Situation, low: list[SeatUse]) -> Mail:
    """The offer of help: one mail for all products of which too little is used, the least used one first."""
    more = [conversation.figures_of(use) for use in low[1:]]
    aim = {"low": str(situation.playbook.adoption.low), **({"others": more} if more else {})}
    return Mail("outreach", {**conversation.figures_of(low[0]), **aim, **conversation.instead_of(situation)})


def mail(situation: Situation, step: Step) -> Decision:
    """The mail that did not leave with its decision: an offer of help, or that it has helped, if that is so still."""
    template = step.name.partition("-")[0]
    if template == references.TEMPLATE:
        return references.ask(situation, step)
    found = mail_of(situation, template)
    if found is None:
        return Decision(JournalLine(f"Dropped: {mail_in_words(template)}; it is not so any more", kind="dropped"))
    return Decision(JournalLine(f"The {mail_in_words(template)} is on its way"), mails=[found])


def mail_of(situation: Situation, template: str) -> Mail | None:
    """The offer of help (`outreach`), or the mail that it has helped (`recovered`), with the figures of now; null if it is not so."""
    uses = helping_on.settled(situation, seat_use(situation.customer, situation.playbook, situation.as_of))
    low, helping = helping_on.low(situation, uses), HELP_TASK in _open_tasks(situation)
    if low and template == "outreach" and helping:
        return _outreach(situation, low)
    if uses and template == "recovered" and not helping and uses[0].share >= situation.playbook.adoption.recovered:
        return _good_progress(situation, uses)
    return None


def _still_low(situation: Situation, use: SeatUse, next_on: str | None) -> Decision:
    """Help has not helped yet: the owner is told by the follow-up, and by the check-ins that come after it. The customer gets the check-in
    that was promised to them."""
    says = f"Adoption of {use.asset.product_name} is still low: {use.says}"
    mails = _promised(situation, next_on)
    if next_on is not None and (not _has_had_time(situation) or _told_lately(situation)):
        return Decision(
            JournalLine(f"Check-in: {says[:1].lower()}{says[1:]}", detail=conversation.figures_of(use)),
            Outcome(attention={"low_adoption": says}),
            mails=mails,
        )
    return Decision(
        JournalLine(says, kind="adoption_still_low", detail=conversation.figures_of(use)),
        Outcome(said=[says], attention={"low_adoption": says}),
        mails=mails,
        notices=[Notice(says, helping_on.owed(situation), to="owner", task=HELP_TASK)],
    )


def _promised(situation: Situation, next_on: str | None) -> list[Mail]:
    """The check-in of which the customer was told the day, if they are not spoken with otherwise."""
    promised = conversation.promised_for(situation)
    if next_on is None or promised is None or promised > situation.today:
        return []
    if guard_of(situation).holds_back(Purpose.SALES_OUTREACH) or conversation.why_not_written(situation):
        return []
    return [Mail("check_in", conversation.says(situation, next_on or None))]


def _good_progress(situation: Situation, uses: list[SeatUse]) -> Mail:
    """That help has helped: one mail for all products whose use is known, the least used one first."""
    more = [conversation.figures_of(use) for use in uses[1:]]
    others = {"others": more} if more else {}
    return Mail("recovered", {**conversation.figures_of(uses[0]), **others, **conversation.instead_of(situation)})


def _recovered(situation: Situation, uses: list[SeatUse]) -> Decision:
    use = uses[0]
    says = f"Adoption of {use.asset.product_name} recovered: {use.says}"
    return Decision(
        JournalLine(says, kind="adoption_recovered", detail=conversation.figures_of(use)),
        Outcome(
            drop=[f"{STAGE}/follow-up-*"],
            stages={STAGE: Stage(status=STEADY)},
            attention={"low_adoption": None},
            said=[says],
        ),
        [CloseStaffTasks(key, situation.as_of, outcome=says) for key in helping_on.KEYS],
        [] if low_scores.is_open(situation) else [_good_progress(situation, uses)],
    )


def _report(situation: Situation, uses: list[SeatUse], next_on: str | None) -> Decision:
    use = uses[0] if uses else None
    figures = conversation.figures_of(use) if use else dict.fromkeys(conversation.COUNTED)
    said = f"{use.asset.product_name}, {use.says}" if use else "usage unknown"
    if next_on is None:
        return Decision(JournalLine(f"Usage looked at: {said}", detail=figures))
    if held := guard_of(situation).holds_back(Purpose.SALES_OUTREACH):
        # Whoever serves the customer talks to them now; a check-in would be one voice too many.
        return Decision(JournalLine(f"Check-in: {said}; not written, {held.says}", detail=figures))
    if why := conversation.why_not_written(situation):
        return Decision(JournalLine(f"Check-in: {said}; not written, {why}", detail=figures))
    mail = Mail("check_in", conversation.says(situation, next_on or None))
    return Decision(JournalLine(f"Check-in: {said}", detail=figures), mails=[mail])


def _open_tasks(situation: Situation) -> set[str]:
    return set(situation.customer.staff_tasks)
