"""The embedded stack: PostgreSQL, Temporal and a mailbox on loopback, without Docker."""

from workers.embedded.errors import AlreadyRunningError, EmbeddedError
from workers.embedded.mailbox import Mailbox, MailNotFoundError, MailSummary, StoredMail
from workers.embedded.stack import EmbeddedStack

__all__ = [
    "AlreadyRunningError",
    "EmbeddedError",
    "EmbeddedStack",
    "MailNotFoundError",
    "MailSummary",
    "Mailbox",
    "StoredMail",
]
