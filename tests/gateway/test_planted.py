"""No word of one customer stands in another one's mail, page or answer: each customer says a word that nobody else has, in whatever they
or our people may write freely. `PERENNIAL_PLANTED=1000` lives as many customers as 1,000 mails take, however long that is."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from domain.frame.access import AccessRole
from tests.builders import order
from tests.cases import case, case_client
from tests.conftest import Servers
from tests.e2e.lives import account_of
from tests.gateway.api.callers import calling, token_of
from tests.gateway.console.browser import with_role

MAILS = 1000
SECONDS = 20.0
"""So long customers are lived by default; at least so many, however slow the machine is:"""
AT_LEAST = 8
LOOKED_AT = 12
"""customers of whom pages and answers are read"""
_WORD = re.compile(r"quagga[a-z]{5}")
PARTS = ("", "/orders", "/contracts", "/cases", "/contacts", "/timeline", "/tasks", "/holds", "/journey", "/surveys")


@dataclass(frozen=True)
class Planted:
    """A customer with their word."""

    word: str
    document: dict[str, Any]
    cases: tuple[str, ...]

    @property
    def account(self) -> str:
        return account_of(self.document)

    @property
    def address(self) -> str:
        return f"{self.word}@{self.word}.example"


def _word(number: int) -> str:
    letters = ""
    for _ in range(5):
        number, rest = divmod(number, 26)
        letters += chr(ord("a") + rest)
    return f"quagga{letters}"


def strangers(text: str, own: str) -> set[str]:
    """The words of other customers in a text."""
    return {word for word in _WORD.findall(text.lower()) if word != own}


async def _lived(servers: Servers, number: int) -> Planted:
    """A customer whose word stands in every field that takes free text."""
    word = _word(number)
    document = order()
    document["account"] |= {"name": f"Works {word}", "language": ("en", "ja")[number % 2]}
    language = document["account"]["language"]
    document["contacts"] = [
        {"contact_id": "P-1", "name": f"Jo {word}", "email": f"{word}@{word}.example", "language": language},
        {"contact_id": "P-2", "name": f"Mia {word}", "email": f"mia@{word}.example", "role": "billing"},
    ]
    document["lines"][0]["site"] = f"Office {word}"
    account, client, cases = account_of(document), servers.client, case_client(servers)
    await client.place_order(document)
    await client.ask(account, "complete_task", {"task": "kickoff", "evidence": f"they said {word}"})
    await client.ask(account, "place_hold", {"reason": f"wait for {word}", "level": "warn"})
    opened = []
    for n, answers in enumerate((7, 1)):
        said = case(document, contact_id="P-1", subject=f"The {word} lamp {n}", body=f"It blinks, says {word}.")
        found = await cases.open_case(said)
        await cases.ask(found.case_id, "note", {"body": f"a note on {word}", "by": "S-2"})
        for _ in range(answers):
            await cases.ask(found.case_id, "respond", {"body": f"We look at {word} today.", "by": "S-2"})
        opened.append(found.case_id)
    await cases.ask(opened[0], "assign", {"owner": "S-2"})
    await cases.ask(opened[0], "resolve", {"code": "fixed", "text": f"The {word} lamp is new."})
    if number % 4 == 0:
        await client.fast_forward(account, timedelta(days=60))
    return Planted(word, document, tuple(opened))


@pytest.mark.timeout(1800)
async def test_no_word_of_one_customer_reaches_another(servers: Servers) -> None:
    wanted = int(os.environ.get("PERENNIAL_PLANTED", "0"))
    began, lived, mails = time.monotonic(), list[Planted](), 0
    before = len(servers.stack.mailbox.list())

    def goes_on() -> bool:
        if len(lived) < AT_LEAST:
            return True
        return mails < (wanted or MAILS) and (bool(wanted) or time.monotonic() - began < SECONDS)

    while goes_on():
        lived.append(await _lived(servers, len(lived)))
        mails = sum(not one.to.endswith("@seller.example") for one in servers.stack.mailbox.list()[before:])
    by_address = {address: one for one in lived for address in (one.address, f"mia@{one.word}.example")}
    read, own = 0, set[str]()
    for summary in servers.stack.mailbox.list()[before:]:
        theirs = [by_address[address] for address in summary.recipients if address in by_address]
        if not theirs:
            continue  # to our own people, who see many
        assert len({one.word for one in theirs}) == 1
        mail, one = servers.stack.mailbox.read(summary.id), theirs[0]
        said = "\n".join((mail.text or "", mail.html or "", *mail.headers.values()))
        assert strangers(said, one.word) == set(), (summary, said)
        own |= {one.word} & set(_WORD.findall(said.lower()))
        read += 1
    assert own == {one.word for one in lived}  # words are there to be found
    assert read >= 5 * len(lived)
    await _answers(servers, lived[:LOOKED_AT])
    print(f"{read} mails of {len(lived)} customers in {time.monotonic() - began:.0f} s")


async def _answers(servers: Servers, lived: list[Planted]) -> None:
    browser = await with_role(servers, AccessRole.ADMIN)
    async with calling(servers, await token_of(servers, AccessRole.ADMIN)) as api:
        for one in lived:
            paths = [f"/accounts/{one.account}{part}" for part in PARTS] + [f"/cases/{id}" for id in one.cases]
            said = []
            for path in paths:
                answer = await api.get(path)
                assert answer.status_code == 200, (path, answer.text)
                assert strangers(answer.text, one.word) == set(), path
                said.append(answer.text)
            for path in (f"/customers/{one.account}", f"/cases/{one.cases[0]}"):
                await browser.open(path)
                assert browser.answer.status_code == 200, path
                assert strangers(browser.answer.text, one.word) == set(), path
                said.append(browser.answer.text)
            assert sum(one.word in text for text in said) > 6


def test_a_word_of_somebody_else_is_found() -> None:
    assert strangers("Dear Quaggaaaaab, the quaggaaaaac lamp", "quaggaaaaab") == {"quaggaaaaac"}
    assert strangers("Dear quaggaaaaab", "quaggaaaaab") == set()
    assert len({_word(number) for number in range(5000)}) == 5000
