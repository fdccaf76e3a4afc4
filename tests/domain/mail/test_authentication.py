"""What our own mail server says of a mail's sender, and what others only pretend that it said."""

from __future__ import annotations

import pytest

from domain.mail.authentication import doubt_of
from domain.mail.reading import read_mail

US = "mx.seller.example"
DMARC = "its sender may be forged: our mail server says that DMARC failed"
SPF = "its sender may be forged: our mail server says that SPF failed, and no signature holds"
BOTH = "its sender may be forged: our mail server says that SPF and DKIM failed"


@pytest.mark.parametrize(
    ("header", "doubt"),
    [
        (f"{US}; spf=pass smtp.mailfrom=acme.example; dkim=pass header.d=acme.example; dmarc=pass", None),
        (f"{US}; dmarc=fail (p=REJECT sp=REJECT dis=NONE) header.from=acme.example", DMARC),
        (
            f"{US}; spf=pass smtp.mailfrom=x.example; dkim=pass header.d=x.example; dmarc=fail header.from=a.example",
            DMARC,
        ),
        (f"{US.upper()} 1; DMARC = Fail", DMARC),
        (f"{US}; dmarc/1=fail", DMARC),
        (f'"{US}"; dmarc=fail', DMARC),
        (f"{US} (our own; dmarc=pass); dmarc=fail", DMARC),
        (f"{US}; spf=fail smtp.mailfrom=a.example; dkim=fail (bad signature) header.d=a.example", BOTH),
        (f"{US}; spf=fail; dkim=neutral; dkim=fail header.d=a.example", BOTH),
        (f"{US}; spf=fail; dkim=fail; dkim=pass header.d=a.example", None),
        (f"{US}; spf=fail; dkim=fail; dmarc=pass", None),
        (f"{US}; spf=softfail smtp.mailfrom=a.example; dkim=fail header.d=a.example", BOTH),
        (f"{US}; spf=softfail; dkim=fail; dkim=pass header.d=a.example", None),
        (f"{US}; spf=fail smtp.mailfrom=a.example", SPF),
        (f"{US}; spf=fail smtp.mailfrom=a.example; dkim=none; dmarc=none", SPF),
        (f"{US}; spf=fail; dkim=neutral", SPF),
        (f"{US}; dkim=fail header.d=a.example", None),
        (f"{US}; spf=softfail; dkim=none; dmarc=none", None),
        (f"{US}; none", None),
        (f"{US}; spf=pass (dmarc=fail; dkim=fail)", None),  # a comment
        (f'{US}; spf=pass reason="it says; dmarc=fail"', None),
        (f"{US}; spf=pass smtp.mailfrom=dmarc=fail", None),
        (f"{US}; ((((; dmarc=fail", None),
        ("mx.elsewhere.example; dmarc=fail", None),
        (f"not-{US}; dmarc=fail", None),
        ("", None),
        (";;;", None),
    ],
)
def test_the_results_of_our_own_server(header: str, doubt: str | None) -> None:
    assert doubt_of([header], US) == doubt
    assert doubt_of([header], None) is None


def test_the_topmost_of_our_own_counts() -> None:
    passed, failed, other = f"{US}; dmarc=pass", f"{US}; dmarc=fail", "mx.elsewhere.example; dmarc=fail"
    assert doubt_of([other, failed, passed], US) == DMARC
    assert doubt_of([passed, failed], US) is None
    assert doubt_of([other], US) is None


def test_they_are_read_from_the_mail_in_their_order() -> None:
    raw = (
        f"Received: by {US}\r\nAuthentication-Results: {US};\r\n\tdmarc=fail\r\n header.from=acme.example\r\n"
        f"From: jo@acme.example\r\nAuthentication-Results: {US}; dmarc=pass\r\n\r\nHello"
    ).encode()
    found = read_mail(raw).authentication
    assert found == (f"{US}; dmarc=fail header.from=acme.example", f"{US}; dmarc=pass")
    assert doubt_of(found, US) == DMARC
