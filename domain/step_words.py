"""Steps in words, for the rows and bars of the Temporal UI: short, without names or addresses of people."""

from __future__ import annotations

from domain.journey import StageKind, Step, stage_kind

_SUBJECTS = {
    StageKind.ONBOARDING: "order",
    StageKind.RENEWAL: "contract",
    StageKind.QUOTE: "quote",
    StageKind.FULFILMENT: "order",
}
LIMIT = 190
"""Bytes; the server takes 400."""


def in_words(step: Step) -> str:
    """Such as "Renewal notice, 60 days before the end, contract K-1": what a step does, and for what."""
    kind = stage_kind(step.stage)
    words = step.kind.replace("_", " ").capitalize()
    detail = _detail(step, kind)
    subject = step.stage.split(":")[1] if ":" in step.stage else ""
    named = f"{_SUBJECTS.get(kind, '')} {subject}".strip()
    return shortened(", ".join(part for part in (words, detail, named) if part))


def shortened(text: str) -> str:
    """`text` in at most 190 bytes of UTF-8, whole characters only."""
    return text.encode()[:LIMIT].decode(errors="ignore")


def _detail(step: Step, kind: StageKind) -> str:
    if step.kind == "renewal_notice" and (days := step.name.removeprefix("notice-").partition(".")[0]).isdigit():
        return f"{days} {'day' if days == '1' else 'days'} before the end"
    if kind is StageKind.ONBOARDING and step.kind != "onboarding_provisioned":
        task = step.name.removeprefix("touch-")
        for ending in ("-invite", "-remind", "-escalate"):
            task = task.removesuffix(ending)
        return task.replace("_", " ").replace("-", " ")
    return ""
