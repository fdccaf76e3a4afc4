"""Marks: what a mail carries that only a mail of ours can have given it, and what merely claims to be ours."""

from __future__ import annotations

import re
from dataclasses import dataclass

from domain.mail.choices import Pick
from domain.mail.reading import InboundMail
from domain.mail.signing import AddressPurpose, Keys, delivery_in, looks_like_ours, opened, token_in

_CHOSEN_SUBJECT = re.compile(r"answer\s+([a-z2-7]{40,60})\s+([a-z0-9_=#.\s-]{1,2000})", re.IGNORECASE)
_STOP_SUBJECT = re.compile(r"unsubscribe\s+([a-z2-7]{40,60})", re.IGNORECASE)


@dataclass(frozen=True)
class Domains:
    """Where our mails come from, and where their signed addresses are (null: no inbox is served, so that there are none)."""

    mail: str
    reply: str | None = None

    def __str__(self) -> str:
        return " and ".join(dict.fromkeys([self.mail, self.reply or self.mail]))

    def takes(self, address: str) -> bool:
        """True for an address under one of them."""
        _, at, under = address.lower().rpartition("@")
        return bool(at) and under in (self.mail.lower(), (self.reply or self.mail).lower())


@dataclass(frozen=True)
class Marks:
    """What of a mail is signed by us.

    `replied` and `stopped` name deliveries by their digests, from addresses that it went to; `answered` and `returned` the
    deliveries of Message-IDs that it answers, or that came back with it, beside these ids as they stand in the mail.
    """

    replied: tuple[bytes, ...] = ()
    stopped: tuple[bytes, ...] = ()
    chosen: tuple[bytes, str] | None = None
    """the delivery whose question was answered on its page, by its digest, and how"""
    answered: tuple[tuple[str, str], ...] = ()
    returned: tuple[tuple[str, str], ...] = ()
    threads: tuple[str, ...] = ()
    """Message-IDs that it answers, the nearest first, without those that claim to be ours"""
    forged: bool = False
    """a delivery report names ids under our domain that we have not signed"""


def marks_of(mail: InboundMail, domains: Domains, keys: Keys) -> Marks:
    """What of `mail` one of `keys` has signed."""
    ids = mail.bounce.message_ids if mail.bounce else ()
    answered = _verified(mail.answers, domains, keys)
    returned = _verified(ids, domains, keys)
    ours = {message_id for message_id, _ in answered}
    return Marks(
        replied=_opened(mail, AddressPurpose.REPLY, domains, keys),
        stopped=_opened(mail, AddressPurpose.STOP, domains, keys),
        chosen=_chosen(mail, keys),
        answered=answered,
        returned=returned,
        threads=tuple(one for one in mail.answers if one in ours or not looks_like_ours(one, domains.mail)),
        forged=not returned and any(looks_like_ours(one, domains.mail) for one in ids),
    )


def _verified(message_ids: tuple[str, ...], domains: Domains, keys: Keys) -> tuple[tuple[str, str], ...]:
    found = ((one, delivery_in(one, domains.mail, keys)) for one in message_ids)
    return tuple((message_id, delivery_id) for message_id, delivery_id in found if delivery_id is not None)


def _opened(mail: InboundMail, purpose: AddressPurpose, domains: Domains, keys: Keys) -> tuple[bytes, ...]:
    found = (opened(token, purpose, keys) for token in _tokens(mail, purpose, domains))
    return tuple(dict.fromkeys(digest for digest in found if digest is not None))


_PAGES = {Pick.MAILS.value: AddressPurpose.MAILS, Pick.STEP.value: AddressPurpose.STEPS}
"""Whose links lead to the page of a choice; all others are answers to a question."""


def chosen_subject(token: str, choice: str) -> str:
    """How an answer that was given on a page is kept."""
    return f"answer {token} {choice}"


def _chosen(mail: InboundMail, keys: Keys) -> tuple[bytes, str] | None:
    said = _CHOSEN_SUBJECT.fullmatch(mail.subject.strip())
    purpose = (
        _PAGES.get(said[2].split()[0], AddressPurpose.ANSWER) if said and said[2].split() else AddressPurpose.ANSWER
    )
    digest = opened(said[1], purpose, keys) if said else None
    return (digest, said[2]) if said and digest is not None else None


def _tokens(mail: InboundMail, purpose: AddressPurpose, domains: Domains) -> list[str]:
    under = {domains.mail, domains.reply or domains.mail}
    found = [token_in(address, purpose, domain) for address in mail.recipients for domain in under]
    if purpose is AddressPurpose.STOP and (said := _STOP_SUBJECT.fullmatch(mail.subject.strip())):
        found.append(said[1])
    return [token for token in found if token]
