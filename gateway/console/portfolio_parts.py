"""What the portfolio shows of each report: figures, charts with the tables behind them, and the accounts behind each figure. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import partial

from markupsafe import Markup

from domain.contracts.forecast import Forecast, RenewalCategory, Speed
from domain.frame.sales_holds import SurveyKind
from domain.kernel.money import half_up
from domain.service.roi_report import RoiReport
from domain.service.sla_report import SlaReport
from domain.success.adoption_report import AdoptionFigures
from domain.success.survey_report import SurveyAnswers
from gateway.console.charts import Series, columns, rows
from gateway.console.language import Words
from gateway.views.reports.adoption import FIFTHS
from gateway.views.reports.retention import Kept

Cells = tuple[str, ...]
NOTHING = "–"


@dataclass(frozen=True)
class Chart:
    """A picture with the table of the same values."""

    title: str
    picture: Markup
    head: Cells
    rows: Sequence[Cells]


@dataclass(frozen=True)
class Behind:
    """The accounts behind a figure, each by its id and with what it adds."""

    name: str
    head: Cells
    rows: Sequence[Cells]


@dataclass(frozen=True)
class Part:
    """What a report says, of one currency or product where it is told apart by them."""

    title: str = ""
    figures: list[tuple[str, str]] = field(default_factory=list)
    charts: list[Chart] = field(default_factory=list)
    behind: list[Behind] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def _chart(
    draw: Callable[..., Markup],
    title: str,
    labels: Sequence[str],
    series: Sequence[Series],
    said: Callable[[Decimal], str],
) -> Chart:
    head = ("", *(one.name for one in series))
    cells = [
        (label, *(NOTHING if (value := one.values[n]) is None else said(Decimal(value)) for one in series))
        for n, label in enumerate(labels)
    ]
    return Chart(title, draw(title, labels, series, said), head, cells)


def _percent(t: Words, value: Decimal | float | None) -> str:
    return NOTHING if value is None else f"{t.number(half_up(1).apply(Decimal(str(value))))} %"


def of_retention(t: Words, found: Sequence[Kept]) -> list[Part]:
    """From the revenue of the first day to that of the last, by what became of it; and cohorts by quarter."""
    made = []
    for kept, cohorts in found:
        money = partial(t.money, currency=kept.currency)
        cohort = kept.cohort
        steps = {
            "starting": cohort.starting,
            "new": kept.new,
            "grew": cohort.expansion,
            "shrank": 0 - cohort.contraction,
            "left": 0 - cohort.churn,
            "end": kept.end,
        }
        labels = [t(f"portfolio.moved.{name}") for name in steps]
        title = t("portfolio.revenue", currency=kept.currency)
        charts = [_chart(columns, title, labels, [Series(title, list(steps.values()))], money)]
        if cohorts:
            wide = max(len(one.customers) for one in cohorts)
            head = (t("portfolio.cohort"), *(t("portfolio.after", n=n) for n in range(wide)))
            cells = [
                (t.sentence(one.quarter), *map(str, one.customers), *[""] * (wide - len(one.customers)))
                for one in cohorts
            ]
            charts.append(Chart(t("portfolio.cohorts"), Markup(""), head, cells))
        behind = [
            Behind(
                t(f"portfolio.moved.{kind}"),
                (t("portfolio.before"), t("portfolio.now")),
                [(one.account_id, money(one.start), money(one.end)) for one in kept.movements if one.kind == kind],
            )
            for kind in ("new", "grew", "shrank", "left", "kept")
        ]
        figures = [
            (t("portfolio.net"), _percent(t, cohort.rates.net_percent)),
            (t("portfolio.gross"), _percent(t, cohort.rates.gross_percent)),
            (t("portfolio.logos"), _percent(t, cohort.logo_percent)),
            (t("portfolio.existing"), _percent(t, kept.from_existing_percent)),
        ]
        made.append(Part(kept.currency, figures, charts, behind))
    return made


def of_renewals(t: Words, found: Sequence[Forecast], pace: Speed) -> list[Part]:
    """By month: what ends, and what it is likely to bring; by how far each has come, with its contract."""
    made = []
    for currency in sorted({one.due.currency for one in found}):
        money = partial(t.money, currency=currency)
        own = [one for one in found if one.due.currency == currency]
        by_month: dict[str, list[Forecast]] = defaultdict(list)
        for one in own:
            by_month[one.month].append(one)
        of_months = [(t.month((of[0].due.until - timedelta(days=1)).replace(day=1)), of) for of in by_month.values()]
        ends = [sum((one.due.arr for one in of), Decimal(0)) for _, of in of_months]
        likely = [sum((one.likely for one in of), Decimal(0)) for _, of in of_months]
        series = [Series(t("portfolio.ends"), ends), Series(t("portfolio.likely"), likely)]
        draw = columns if 2 < len(of_months) <= 6 else rows
        charts = [
            _chart(draw, t("portfolio.by_month", currency=currency), [name for name, _ in of_months], series, money)
        ]
        behind = [
            Behind(
                t(f"portfolio.category.{category.value}"),
                (
                    t("portfolio.contract"),
                    t("portfolio.last_day"),
                    t("customer.arr"),
                    t("portfolio.likely"),
                    t("portfolio.why"),
                ),
                [
                    (
                        one.due.account_id,
                        one.due.contract_id,
                        t.day(one.due.until - timedelta(days=1)),
                        money(one.due.arr),
                        money(one.likely),
                        t.sentence(one.why),
                    )
                    for one in own
                    if one.category is category
                ],
            )
            for category in RenewalCategory
        ]
        figures = [
            (t("portfolio.ends"), money(sum(ends, Decimal(0)))),
            (t("portfolio.likely"), money(sum(likely, Decimal(0)))),
            (t("portfolio.pace"), NOTHING if pace.median is None else t.span(pace.median)),
        ]
        made.append(Part(currency, figures, charts, behind))
    return made


def of_adoption(t: Words, found: Sequence[AdoptionFigures]) -> list[Part]:
    """Seats in use by product, and how accounts are spread, the least use first."""
    whole = [one for one in found if not one.segment or len([two for two in found if two.product == one.product]) == 1]
    if not whole:
        return []
    said = partial(_percent, t)
    shares = [None if one.utilisation is None else one.utilisation * 100 for one in whole]
    names = [one.product for one in whole]
    charts = [_chart(rows, t("portfolio.utilisation"), names, [Series(t("portfolio.utilisation"), shares)], said)]
    spread = [sum(counts) for counts in zip(*(one.spread() for one in whole), strict=True)]
    labels = [f"{t(f'portfolio.fifth.{n}')}" for n in range(len(FIFTHS))]
    charts.append(_chart(columns, t("portfolio.spread"), labels, [Series(t("portfolio.accounts"), spread)], t.number))
    head = (t("portfolio.seats"), t("portfolio.active"), t("portfolio.utilisation"), t("portfolio.reported"))
    behind = [
        Behind(
            one.product,
            head,
            [
                (
                    use.account_id,
                    t.number(use.seats),
                    t.number(half_up(1).apply(use.active)) if use.fresh and use.active is not None else NOTHING,
                    _percent(t, None if use.utilisation is None else use.utilisation * 100),
                    t(f"portfolio.reported.{use.reported.value}"),
                )
                for use in one.uses
            ],
        )
        for one in whole
    ]
    return [Part("", [], charts, behind)]


def of_service(t: Words, report: SlaReport) -> list[Part]:
    """Promises kept of those that are decided, by kind, and by week; who waited longest."""
    kept = [one for one in report.total.milestones if one.percent is not None]
    if not kept:
        return []
    said = partial(_percent, t)
    names = [_promise(t, one.milestone) for one in kept]
    by_kind = _chart(
        rows, t("portfolio.kept"), names, [Series(t("portfolio.kept"), [one.percent for one in kept])], said
    )
    counts = [
        (*row, str(one.met), str(one.late), str(one.running)) for row, one in zip(by_kind.rows, kept, strict=True)
    ]
    head = (*by_kind.head, t("milestone.met"), t("portfolio.late"), t("milestone.open"))
    charts = [Chart(by_kind.title, by_kind.picture, head, counts)]
    weeks = report.by_week[-12:]
    if len(weeks) > 1:
        labels = [t.short_day(week.label) for week in weeks]
        met = [sum(one.met for one in week.milestones) for week in weeks]
        late = [sum(one.late for one in week.milestones) for week in weeks]
        series = [Series(t("milestone.met"), met), Series(t("portfolio.late"), late)]
        charts.append(_chart(columns, t("portfolio.by_week"), labels, series, t.number))
    waited = [
        (
            one.account_id,
            one.case_id,
            _promise(t, one.milestone),
            t.span(one.waited),
            t(f"milestone.{one.state}"),
        )
        for one in report.waited_longest
        if one.account_id
    ]
    behind = [
        Behind(
            t("portfolio.waited"),
            (t("case.subject"), t("portfolio.promise"), t("portfolio.waited_for"), t("case.state")),
            waited,
        )
    ]
    csat = report.total.csat
    figures = [
        (t("portfolio.cases"), t.number(report.cases)),
        (t("portfolio.csat"), _percent(t, csat.percent) if csat.percent is not None else NOTHING),
        (t("portfolio.answers"), t.number(csat.responses)),
    ]
    return [Part("", figures, charts, behind)]


def _promise(t: Words, milestone: str) -> str:
    return t.known(f"promise.{milestone}", milestone.replace("_", " "))


def of_surveys(t: Words, found: Sequence[SurveyAnswers]) -> list[Part]:
    """How answers are spread, and the figure of each survey by its method; of few answers none."""
    made = []
    for one in found:
        if one.segment:
            continue
        title = t(f"portfolio.survey.{one.kind.value}")
        counts = list(one.counts.values())
        charts = [
            _chart(columns, title, [str(n) for n in one.counts], [Series(t("portfolio.answers"), counts)], t.number)
        ] * any(counts)
        answers = [
            (
                each.account_id,
                each.case_id or "",
                t.day(each.sent_at),
                NOTHING if each.score is None else str(each.score),
            )
            for each in sorted(one.asked, key=lambda each: (each.score is None, each.score, each.account_id))
        ]
        behind = [
            Behind(t("portfolio.answers"), (t("case.subject"), t("portfolio.asked_on"), t("portfolio.answer")), answers)
        ]
        figures = [
            (t("portfolio.figure"), NOTHING if one.few or one.score.value is None else _figure(t, one)),
            (t("portfolio.answered"), f"{one.score.responses} / {len(one.asked)}"),
        ]
        notes = [t(f"portfolio.method.{one.score.method.value}")] + ([t("portfolio.few")] if one.few else [])
        made.append(Part(title, figures, charts, behind, notes))
    return made


def _figure(t: Words, one: SurveyAnswers) -> str:
    assert one.score.value is not None
    if one.kind is SurveyKind.CES:
        return t.number(half_up(2).apply(one.score.value))
    return str(one.score.rounded) if one.kind is SurveyKind.NPS else f"{one.score.rounded} %"


def of_value(t: Words, report: RoiReport) -> list[Part]:
    """What joining service and sales brings and costs, by scenario, and where each input comes from."""
    money = partial(t.money, currency=report.currency)
    names = [t(f"portfolio.scenario.{one.scenario.name}") for one in report.results]
    benefits = [sum(one.benefits.values(), Decimal(0)) for one in report.results]
    costs = [sum(one.costs.values(), Decimal(0)) for one in report.results]
    series = [Series(t("portfolio.benefits"), benefits), Series(t("portfolio.costs"), costs)]
    title = t("portfolio.scenarios", months=report.months)
    charts = [_chart(columns, title, names, series, money)]
    parts_of = [
        (t(f"portfolio.benefit.{benefit.value}"), *(money(one.benefits[benefit]) for one in report.results))
        for benefit in report.results[0].benefits
    ]
    charts.append(Chart(t("portfolio.benefits"), Markup(""), ("", *names), parts_of))
    inputs = [
        (t(f"portfolio.input.{name}"), t.number(figure.value), t.sentence(figure.source))
        for name, figure in report.inputs
    ]
    charts.append(Chart(t("portfolio.inputs"), Markup(""), ("", t("portfolio.amount"), t("portfolio.source")), inputs))
    figures = [
        (f"{t('portfolio.roi')} · {name}", _percent(t, one.roi_percent))
        for name, one in zip(names, report.results, strict=True)
    ]
    return [Part(report.currency, figures, charts)]
