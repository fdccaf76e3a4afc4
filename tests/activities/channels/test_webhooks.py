"""Webhooks over real HTTP: signed so that a receiver can check, tried again for what passes, ended for what never will."""

from __future__ import annotations

import pytest

from activities.channels.errors import ChannelUnavailableError, MessageRejectedError
from activities.channels.webhooks import WebhookChannel
from activities.kernel.clock import present
from tests.webhook_receiver import Receiver

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDMfKQ9r8GKYq="


async def test_the_signature_is_that_of_the_scheme() -> None:
    # The worked example of the scheme's own documentation.
    with Receiver(SECRET) as receiver:
        sender = WebhookChannel(receiver.url, SECRET)
        await sender.send("msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', 1614265330.5)
    assert receiver.attempts[0].signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


async def test_a_receiver_can_check_every_attempt_also_while_secrets_change() -> None:
    with Receiver(SECRET) as receiver:
        await WebhookChannel(receiver.url, f"{OTHER} {SECRET}").send("msg_1", b'{"a":1}', present().timestamp())
        await WebhookChannel(receiver.url, OTHER).send("msg_2", b'{"a":1}', present().timestamp())
        await WebhookChannel(receiver.url, SECRET).send("msg_3", b'{"a":1}', present().timestamp() - 3600)
    assert [attempt.genuine for attempt in receiver.attempts] == [True, False, False]


@pytest.mark.parametrize("status", [500, 503, 404, 302, 429])
async def test_a_no_is_tried_again(status: int) -> None:
    with Receiver(SECRET, [status]) as receiver, pytest.raises(ChannelUnavailableError, match=str(status)):
        await WebhookChannel(receiver.url, SECRET).send("msg_1", b"{}", present().timestamp())


async def test_who_is_slow_or_away_is_tried_again_and_who_is_gone_is_not() -> None:
    with Receiver(SECRET, slow={1: 2.0}) as receiver:
        hasty = WebhookChannel(receiver.url, SECRET, timeout_seconds=0.3)
        with pytest.raises(ChannelUnavailableError, match=r"no answer from 127\.0\.0\.1 in 0\.3 s"):
            await hasty.send("msg_1", b"{}", present().timestamp())
        receiver.plan = [410]
        with pytest.raises(MessageRejectedError, match="gone"):
            await WebhookChannel(receiver.url, SECRET).send("msg_1", b"{}", present().timestamp())
        url = receiver.url
    with pytest.raises(ChannelUnavailableError):
        await WebhookChannel(url, SECRET).send("msg_1", b"{}", present().timestamp())


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_short", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_a&b", "whsec_YWJj"]
)
def test_a_secret_that_signs_nothing_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="secret"):
        WebhookChannel("https://erp.example.com/hooks", secret)
