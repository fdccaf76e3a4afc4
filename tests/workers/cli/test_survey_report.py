"""`perennial report surveys`: NPS, ease and content, with the method, the rate and the answers behind each figure."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from activities.kernel.clock import present
from domain.frame.sales_holds import SurveyKind
from domain.success.survey_report import AskedSurvey, answers_of
from tests.conftest import Servers
from tests.workers.cli.running import perennial
from tests.workflows.service_side import FIRST_ASKED, onboarded
from tests.workflows.success.test_survey_rhythm import after, sent

AT = datetime(2027, 3, 1, tzinfo=UTC)


def asked(kind: SurveyKind, *scores: int | None, segment: str = "standard") -> list[AskedSurvey]:
    return [
        AskedSurvey(kind=kind, account_id=f"A-{n}", account="Acme", segment=segment, sent_at=AT, score=score)
        for n, score in enumerate(scores)
    ]


def test_figures_are_by_their_methods_and_those_who_did_not_answer_count_among_the_asked() -> None:
    nps = asked(SurveyKind.NPS, 10, 9, 9, 8, 7, 6, 0, 10, 10, 3, None, None)
    ces = asked(SurveyKind.CES, *[7] * 5, *[5] * 3, 4, 1, segment="enterprise")
    csat = asked(SurveyKind.CSAT, *[5] * 6, *[4] * 2, 3, 1, 1)
    found = {(one.kind, one.segment): one for one in answers_of(nps + ces + csat)}
    everyone = found[SurveyKind.NPS, ""]
    assert (everyone.score.rounded, everyone.score.responses, len(everyone.asked)) == (20, 10, 12)
    assert everyone.rate is not None
    assert round(everyone.rate) == 83
    ease = found[SurveyKind.CES, "enterprise"]
    assert (str(ease.score.value), ease.easy) == ("5.5", 80.0)
    assert found[SurveyKind.CSAT, ""].score.rounded == 73
    assert not everyone.few
    assert answers_of(asked(SurveyKind.NPS, *[9] * 9))[0].few
    assert list(everyone.counts) == list(range(11))


async def test_the_report_counts_who_was_asked_and_shows_no_figure_of_few(servers: Servers, tmp_path: Path) -> None:
    accounts = [(await onboarded(servers))[1] for _ in range(2)]
    for account in accounts:
        await after(servers, account, FIRST_ASKED.days)
    (survey,) = await sent(servers, accounts[0])
    await servers.client.ask(
        accounts[0], "answer_survey", {"survey_id": survey["survey_id"], "score": 9, "by": "customer"}
    )
    dsn, to = servers.settings.database_url.get_secret_value(), str((present() + timedelta(days=100)).date())
    arguments = ("report", "surveys", "--to", to)
    said = json.loads((await perennial(*arguments, "--json", dsn=dsn, folder=tmp_path)).out)
    figures = next(one for one in said["figures"] if (one["survey"], one["segment"]) == ("nps", None))
    ours = {one["account_id"]: one["score"] for one in figures["answers"] if one["account_id"] in accounts}
    assert ours == {accounts[0]: 9, accounts[1]: None}
    assert figures["method"] == "nps"
    assert (figures["value"] is None) == (figures["answered"] < 10)
    shown = (await perennial(*arguments, "--accounts", dsn=dsn, folder=tmp_path, width=200)).out
    assert "would recommend us" in shown
    assert "█" in shown
    refused = await perennial("report", "surveys", "--from", to, "--to", "2026-01-01", dsn=dsn, folder=tmp_path)
    assert "lies after" in refused.err
