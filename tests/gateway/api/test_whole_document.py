"""The whole document, called at random: no call ends in a mistake of ours, and every answer is one that the document names."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from pydantic import create_model
from schemathesis import GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from domain.frame.access import AccessRole
from gateway.api.app import create_app, openapi_document
from gateway.api.documents import TwoModelsError, document_of
from gateway.doors import Doors
from gateway.serving import served
from tests import properties
from tests.conftest import Servers
from tests.gateway.api.callers import calling, token_of
from tests.gateway.api.test_parts import with_a_case

CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]
MALFORMED = 500
"""Bodies, usually; twenty times as many by night."""
ALIKE = ("account_id", "case_id", "asset_id")
"""Parameters of paths for which something is on record."""
LETTERS = (
    "'; drop table account; --",
    "' or '1'='1",
    '"><script>alert(1)</script>',
    "{{7*7}}${7*7}<%= 7*7 %>",
    '=HYPERLINK("http://x.example")',
    "../../etc/passwd",
    "\r\nSet-Cookie: a=b",
    "\u202eabc\ufeff",
    "\x00",
    "カ" * 150,
    "9" * 400,
)


def _share() -> float:
    return properties.SHARES.get(settings.get_current_profile_name(), 1.0)


async def _known(servers: Servers) -> dict[str, str]:
    document, case_id = await with_a_case(servers)
    return {
        "account_id": document["account"]["account_id"],
        "case_id": case_id,
        "asset_id": f"{document['order_id']}.1",
    }


def _operations() -> list[tuple[str, str, dict[str, Any]]]:
    """Method, path and description of every operation."""
    paths = openapi_document()["paths"]
    return [(method, path, one) for path, methods in paths.items() for method, one in methods.items()]


def _filled(path: str, known: dict[str, str]) -> str:
    for name in known:
        path = path.replace(f"{{{name}}}", known[name])
    return path.replace("{", "").replace("}", "").removeprefix("/v1")


@asynccontextmanager
async def _serving(servers: Servers) -> AsyncIterator[str]:
    app = create_app(Doors(servers.temporal, servers.pool, servers.settings.task_queue))
    async with served(app, "127.0.0.1", 0) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.mark.timeout(900)
async def test_calls_made_of_the_document_are_answered_as_it_says(servers: Servers) -> None:
    known, token = await _known(servers), await token_of(servers, AccessRole.ADMIN)
    async with _serving(servers) as url:
        called, wrong = await asyncio.to_thread(_call_all, url, token, known)
    assert not wrong, "\n\n".join(wrong)
    assert called >= len(_operations())


def _call_all(url: str, token: str, known: dict[str, str]) -> tuple[int, list[str]]:
    """Every operation, on what is on record and on what may not be; how many calls that made, and what was wrong with some."""
    wanted = settings(
        max_examples=max(1, int(_share())), phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    headers = {"Authorization": f"Bearer {token}", "Prefer": "wait=2"}
    called, wrong = 0, list[str]()
    schema = schemathesis.openapi.from_dict(openapi_document())
    for operation in (found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)):
        fixed = {name: value for name, value in known.items() if f"{{{name}}}" in operation.path}
        for mode, given_path in ((GenerationMode.POSITIVE, fixed), (GenerationMode.NEGATIVE, {})):

            @wanted
            @given(case=operation.as_strategy(mode, path_parameters=given_path))
            def call(case: Any) -> None:
                nonlocal called
                called += 1
                answer = case.call(base_url=url, headers=headers)
                assert answer.status_code < 500, f"{case.as_curl_command()}: {answer.text}"
                case.validate_response(answer, checks=CHECKS)

            try:
                call()
            except (AssertionError, FailureGroup) as error:
                wrong.append(f"{operation.label}: {error}")
    return called, wrong


async def test_malformed_bodies_are_refused_and_change_nothing(servers: Servers) -> None:
    known = await _known(servers)
    night = settings.get_current_profile_name() == "nightly"
    dice = random.Random(None if night else 7)
    written = [
        (method, path, one["requestBody"]["content"]["application/json"]["examples"]["typical"]["value"])
        for method, path, one in _operations()
        if "requestBody" in one
    ]
    accounts = await servers.pool.fetchval("select count(*) from account")
    wrong = []
    async with calling(servers, await token_of(servers, AccessRole.ADMIN)) as http:
        for _ in range(max(300, int(MALFORMED * _share()))):
            method, path, example = dice.choice(written)
            content = spoilt(json.dumps(example), dice)
            headers = {"Content-Type": "application/json"}
            answer = await http.request(method, _filled(path, known), content=content, headers=headers)
            kind = answer.headers["content-type"]
            if not 400 <= answer.status_code < 500 or kind != "application/problem+json":
                wrong.append((method, path, content[:300], answer.status_code, answer.text[:200]))
    assert wrong == []
    assert await servers.pool.fetchval("select count(*) from account") == accounts


def spoilt(text: str, dice: random.Random) -> bytes:
    """A body that is no JSON object any more, or one with a field that nothing knows."""
    content, at = text.encode(), dice.randrange(1, len(text))
    ways = (
        content[:at],
        content + content[at:],
        content[:at] + bytes([dice.randrange(0x80, 0x100)]) + content[at:],
        content.replace(b":", b"=", 1),
        b"[" + content + b"]",
        content[:-1] + b', "no_such_field": ' + b"[" * dice.choice((1, 40, 4000)) + b"1",
        content[:-1] + b', "no_such_field": NaN}',
        content[:-1] + b', "no_such_field": 1e999}',
        content[:-1] + b', "no_such_field": "\\ud800"}',
        content[:-1] + b', "no_such_field": "\\u0000"}',
        content[:-1] + b', "no_such_field": ' + b"9" * 5000 + b"}",
        content.replace(b"{", b'{"twice": 1, "twice": 2, ', 1),
        json.dumps(dice.choice((None, True, 1, "text", [], [{}]))).encode(),
    )
    return dice.choice([way for way in ways if way != content])


async def test_letters_that_mean_something_elsewhere_are_letters(servers: Servers) -> None:
    known = await _known(servers)
    accounts = await servers.pool.fetchval("select count(*) from account")
    wrong = []
    async with calling(servers, await token_of(servers, AccessRole.ADMIN)) as http:
        for method, path, one in _operations():
            if method != "get":
                continue
            for parameter in one.get("parameters", ()):
                for letters in LETTERS if parameter["in"] == "query" else ():
                    answer = await http.get(_filled(path, known), params={parameter["name"]: letters})
                    if answer.status_code not in (200, 404, 422):
                        wrong.append((path, parameter["name"], letters, answer.status_code, answer.text[:200]))
            for letters in LETTERS:
                name = httpx2.QueryParams({"x": letters})
                answer = await http.get(
                    path.removeprefix("/v1").replace("{", "").replace("}", "") + "/" + str(name)[2:]
                )
                if answer.status_code not in (200, 404, 422):
                    wrong.append((path, "", letters, answer.status_code, answer.text[:200]))
    assert wrong == []
    assert await servers.pool.fetchval("select count(*) from account") == accounts


async def test_words_of_a_body_are_kept_as_they_are(servers: Servers) -> None:
    known = await _known(servers)
    async with calling(servers, await token_of(servers, AccessRole.ADMIN)) as http:
        for number, letters in enumerate(LETTERS):
            case_id = f"{known['case_id']}-{number}"
            opened = await http.post(
                "/cases",
                json={"case_id": case_id, "account_id": known["account_id"], "subject": letters, "body": letters},
            )
            assert opened.status_code in (200, 422), opened.text
            if opened.status_code == 200:
                case = (await http.get(f"/cases/{case_id}")).json()
                assert case["subject"] == letters.strip()
                assert case["messages"][0]["body"] == letters.strip()


def test_two_models_of_one_name_are_seen() -> None:
    twice = create_app(Doors(None, None))  # type: ignore[arg-type]
    other = create_model("Problem", __module__="elsewhere", other=(str, ...))
    twice.add_api_route("/v1/elsewhere", lambda: None, response_model=other)
    with pytest.raises(TwoModelsError, match="Problem"):
        document_of(twice)
