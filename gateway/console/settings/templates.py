"""What customers are written: every mail with a sample, in each language."""

from __future__ import annotations

from functools import cache

from starlette.responses import Response

from activities.channels.rendering import RenderedMail, Renderer
from activities.channels.samples import a_mail
from domain.frame.mail_kinds import TEMPLATES, topic_of
from domain.frame.mail_names import mail_in_words
from gateway.console.language import LANGUAGES
from gateway.console.visit import Visit


@cache
def _previews(name: str) -> tuple[RenderedMail, ...]:
    renderer = Renderer()
    return tuple(renderer.render(a_mail(name, language)) for language in LANGUAGES)


async def templates(visit: Visit) -> Response:
    """All of them, and the one that the address names as its reader gets it."""
    name = visit.asked("mail")
    listed = [(one, mail_in_words(one), template, topic_of(one)) for one, template in TEMPLATES.items()]
    return visit.page(
        "settings/templates.html",
        listed=listed,
        name=name if name in TEMPLATES else "",
        previews=_previews(name) if name in TEMPLATES else (),
    )
