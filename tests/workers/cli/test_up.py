"""The stack of `perennial up`, with its worker: a mail to the company becomes a case by itself."""

from __future__ import annotations

from pathlib import Path

import aiosmtplib
import pytest

from tests.builders import order
from tests.e2e.lives import until
from tests.gateway.mail.post import SERVICE, contact_of, written
from workers.cli.stack import stack_up


async def test_a_mail_to_the_company_is_a_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEMPORAL_ADDRESS", raising=False)
    async with stack_up(tmp_path / "stack", keep=False, quiet=True) as up:
        document = order()
        await up.client.place_order(document)
        sender = contact_of(document)
        async with aiosmtplib.SMTP(hostname=up.stack.smtp_host, port=up.stack.smtp_port) as smtp:
            await smtp.sendmail(sender, [SERVICE], written(sender).as_bytes())
        query = "select status, account_id, case_id from inbox_message where status <> 'new'"

        async def has_come() -> bool:
            return await up.pool.fetchrow(query) is not None

        await until(has_come, "the mail is looked at")
        row = await up.pool.fetchrow(query)
        assert row is not None
        assert (row["status"], row["account_id"]) == ("matched", document["account"]["account_id"])

        async def is_acknowledged() -> bool:
            return any(row["case_id"] in mail.subject for mail in up.stack.mailbox.list())

        await until(is_acknowledged, "the customer hears that it has come")
        # Of three mails two are ours: the welcome and the acknowledgement came by the same server, and opened nothing.
        assert await up.pool.fetchval("select count(*) from inbox_message") == 1
        [acknowledgement] = [mail for mail in up.stack.mailbox.list() if row["case_id"] in mail.subject]
        assert acknowledgement.recipients == (sender,)
