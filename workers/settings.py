"""Settings from the environment: `PERENNIAL_*` here, `TEMPORAL_*` by Temporal's own configuration."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from domain.frame.access import AccessRole
from domain.frame.work_kinds import WorkKind, queue_of
from domain.kernel.limits import MAIL_BYTES, MOST_LINES, MOST_MAIL_BYTES
from gateway.console.hosts import is_safe_address
from gateway.here import DATA_DIR, DEMO_DIR, TASK_QUEUE, running_on

if TYPE_CHECKING:  # what only reads facts needs no channel
    from activities.channels.mail import SmtpSettings
    from activities.channels.webhooks import WebhookChannel
    from activities.kernel.pool import Pool
    from activities.kernel.pruning import Keeping
    from domain.frame.messages import Issuer
    from domain.mail.marks import Domains
    from gateway.console.identity import Registration

PIPED = "piped"
"""What `inbox_at` says where another mail server takes mails and pipes them in."""


class LogForm(StrEnum):
    """How log lines are written."""

    TEXT = "text"
    """`key=value` pairs"""
    JSON = "json"
    OFF = "off"


class Versioning(StrEnum):
    """Whether the engine keeps builds of workers apart, and when a run moves to the build that has the work."""

    OFF = "off"
    """it does not: every worker takes whatever comes"""
    AUTO_UPGRADE = "auto-upgrade"
    """at once"""
    PINNED = "pinned"
    """when it goes on as a new run, which a journey does as soon as it wakes; for whoever keeps workers of older builds alive"""


BY_ITSELF: Mapping[str, object] = {
    "versioning": Versioning.OFF,
    "queues_apart": "",
    "works_on": "",
    "mails_per_second": None,
}
"""The settings of a worker that is the only one of its engine: no build waits for the work, it does every kind of it, and no mail waits
for its turn."""


def _kinds(name: str, given: str, there: Collection[WorkKind]) -> frozenset[WorkKind]:
    """The kinds of work that a setting names. Raises ValueError for others than `there` are."""
    named = {part.strip() for part in given.split(",")} - {""}
    if unknown := named - set(there):
        has = ", ".join(kind for kind in WorkKind if kind in there)
        raise ValueError(f"{name} names {', '.join(sorted(unknown))}; there is {has}")
    return frozenset(map(WorkKind, named))


class Settings(BaseSettings):
    """Everything a process needs to know besides Temporal. Made once, in `main`, never at import."""

    model_config = SettingsConfigDict(env_prefix="PERENNIAL_", frozen=True)

    database_url: SecretStr = SecretStr("postgresql://localhost/perennial")
    database_pooled: bool = False
    """true if a pooler stands there that gives another session to each transaction: statements keep no names"""
    database_direct_url: SecretStr | None = None
    """the database past its pooler, for what needs a session of its own: pages that are told of news, migrations, doctor, backups"""
    task_queue: str = TASK_QUEUE
    queues_apart: str = ""
    """the kinds of work that have task queues of their own: deliveries, imports, batches, commas between; the same for every worker"""
    works_on: str = ""
    """the kinds of work that this worker does, commas between: journeys, or what has a queue of its own; all without it"""
    drain_seconds: Annotated[float, Field(ge=0, le=600)] = 25
    """so long a worker that is told to end lets run what it has begun; what is not done then is begun anew elsewhere"""
    heartbeat_file: Path | None = None
    """a file that a worker touches every ten seconds while its process goes on, for whoever restarts it; without it none"""
    mails_per_second: Annotated[float | None, Field(gt=0, le=10_000)] = None
    """so many mails leave at most, of all workers together; without it as many as there are"""
    versioning: Versioning = Versioning.OFF
    """whether builds of workers are kept apart; the first one gets no work before `perennial release use` has said so"""
    build_id: Annotated[str, Field(max_length=200, pattern=r"^[\w.+-]*$")] = ""
    """the build of this worker; [the version of the package]"""
    seller_name: str = "InfintraBytes"
    seller_address: str = ""
    """where it is, as it stands on documents: lines with a semicolon between"""
    seller_registration: str | None = None
    """its number for tax: of a qualified invoice in Japan T and 13 digits, elsewhere a VAT number"""
    seller_account: str | None = None
    """the bank account that invoices are paid to, in words"""
    payment_days: Annotated[int | None, Field(ge=0, le=365)] = None
    """so many days after its date an invoice is to be paid; without it documents name no day"""
    staff_language: str = "en"
    """in which our people are told things, unless their own record says another: en or ja"""
    playbooks: Path | None = None
    """a folder with playbooks of your own; the ones that come along otherwise"""
    service_book: Path | None = None
    """a folder with policies, calendars and a desk of your own; the ones that come along otherwise"""
    order_lines: Annotated[int, Field(ge=1, le=MOST_LINES)] = MOST_LINES
    """so many lines an order may have at most"""
    log: LogForm | None = None
    """how log lines are written; without it as text by workers and the inbox, and not at all by `perennial up` and the demo"""
    metrics_port: Annotated[int | None, Field(ge=0, le=65535)] = None
    """the port at which workers, the gateway and the inbox answer Prometheus at /metrics; without it nowhere. Each process needs one of its own"""
    metrics_host: str = "127.0.0.1"
    """the address on which they do"""
    keep_events_days: Annotated[int, Field(ge=90)] = 400
    """for so long events that have left stay on record, until `perennial prune` deletes them"""
    keep_usage_days: Annotated[int, Field(ge=90)] = 1100
    """for so long days of usage stay on record"""
    keep_audit_days: Annotated[int, Field(ge=90)] = 1100
    """for so long it stays on record who asked what through the gateway, and what tools of agents did"""
    keep_inbound_days: Annotated[int, Field(ge=90)] = 400
    """for so long events of other systems stay as they came, once they are settled"""
    keep_mails_days: Annotated[int | None, Field(ge=30)] = None
    """for so long mails of customers stay as they came, once they are settled; without it for good"""
    keep_words_days: Annotated[int | None, Field(ge=90)] = None
    """for so long it stays on record what was said in cases, once they are closed; without it for good"""
    erasures: Path | None = None
    """a folder for the certificates of who was erased, beside the databases: `perennial erase again` reads it after a restore"""
    answer_within: Annotated[float, Field(gt=0)] = 30
    """seconds for which a command waits for an answer; after it, what was asked may still happen"""
    provisioning_url: str | None = None
    """where orders are provided; without it what was sold counts as provided at once"""
    webhook_url: str | None = None
    """where events are told to other systems; without it nobody is told"""
    webhook_secret: SecretStr | None = None
    """the secret that signs them, `whsec_` and base64; two with a space between while one replaces the other"""
    smtp_host: str = "localhost"
    smtp_port: int = 25
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_start_tls: bool = False
    smtp_tls: bool = False
    mail_sender: str = "success@perennial.example"
    mail_domain: str = "perennial.example"
    reply_domain: str | None = None
    """the domain of the signed addresses that answers go to, for which an inbox takes mail; [the mail domain, if one is served]"""
    authserv_id: str | None = None
    """the name by which our own mail server writes Authentication-Results; without it, nobody's are heeded"""
    public_url: str | None = None
    """where that process is reached by https, such as https://mail.example.com: opting out by one click, surveys by a link"""
    http_host: str = "127.0.0.1"
    """the address on which it listens for that"""
    http_port: Annotated[int, Field(ge=1, le=65535)] = 8026
    gateway_host: str = "127.0.0.1"
    """the address on which `perennial gateway` listens"""
    gateway_port: Annotated[int, Field(ge=1, le=65535)] = 8020
    console_url: str | None = None
    """where our people reach the console by https, which notices to them link to; without it they say all in words"""
    temporal_ui_url: str | None = None
    """where our people reach the Temporal UI, which pages of the console link to"""
    payloads_packed: bool = True
    """false while processes that do not read what is packed or sealed still run or may have to run again: it is read, and not written"""
    payload_key_file: Path | None = None
    """the keys by which payloads are sealed, the newest last; without any they are only packed. Connections read these five themselves"""
    payload_keys: SecretStr | None = None
    """the same keys, without a file"""
    payloads_sealed: bool = False
    """true if nothing may start without a key"""
    key_store: SecretStr | None = None
    """where keys of customers lie that seal what they are asked: a file, or the address of a database of its own"""
    trusted_proxies: str = "127.0.0.1"
    """from which addresses or networks the gateway believes X-Forwarded-Proto and X-Forwarded-For, commas between; * for every one"""
    oidc_issuer: str | None = None
    """the identity provider with whom our people sign in to the console, as it calls itself; without it nobody does"""
    oidc_client_id: str | None = None
    """how Perennial is registered there"""
    oidc_client_secret: SecretStr | None = None
    oidc_scope: str = "openid email profile"
    """what is asked of the provider; more of it if groups need that"""
    oidc_claim: str = "email"
    """the claim that says who somebody is: the address or the id of one of our people. `email` has to be verified"""
    oidc_roles_claim: str | None = None
    """the claim that has somebody's groups, such as groups or realm_access.roles; without it roles are those on record here"""
    oidc_roles: dict[str, list[AccessRole]] = {}
    """the roles that each group gives, as JSON: {"crm-sales": ["sales"]}"""
    nexus_roles: dict[str, Annotated[list[AccessRole], Field(min_length=1)]] = {}
    """the roles in which callers of a Nexus endpoint ask, by its name, as JSON: {"perennial-sales": ["sales", "program"]}; without them as
    a program"""
    inbox_host: str = "127.0.0.1"
    """the address on which `perennial inbox serve` listens"""
    inbox_port: Annotated[int, Field(ge=1, le=65535)] = 2525
    inbox_certificate: Path | None = None
    """a certificate with its chain, PEM, with which STARTTLS is offered"""
    inbox_key: Path | None = None
    inbox_size_limit: Annotated[int, Field(ge=64 * 1024, le=MOST_MAIL_BYTES)] = MAIL_BYTES
    """bytes of a mail that are taken"""
    inbox_at: str | None = None
    """`host:port` of the inbox that is served, as seen from here, or `piped` where another mail server pipes mails into
    `perennial mail receive`; without it none is known of"""

    @classmethod
    def of_stack(
        cls,
        *,
        database_url: str,
        smtp_host: str,
        smtp_port: int,
        public_url: str | None = None,
        console_url: str | None = None,
    ) -> Self:
        """Those of an embedded stack, with one worker: its mailbox takes in what customers write, too. public_url: where its gateway
        answers links of mails; console_url: where it shows its pages to our people."""
        mail = {"smtp_host": smtp_host, "smtp_port": smtp_port, "inbox_at": f"{smtp_host}:{smtp_port}"}
        said = {"public_url": public_url, "console_url": console_url}
        links = {name: url for name, url in said.items() if url is not None}
        return cls.model_validate({"database_url": database_url, **BY_ITSELF, **mail, **links})

    @property
    def apart(self) -> frozenset[WorkKind]:
        """The kinds of work that have task queues of their own."""
        return _kinds("PERENNIAL_QUEUES_APART", self.queues_apart, set(WorkKind) - {WorkKind.JOURNEYS})

    @property
    def queues(self) -> dict[WorkKind, str]:
        """The task queues that a worker with these settings serves, by their kind of work."""
        there = {WorkKind.JOURNEYS, *self.apart}
        chosen = _kinds("PERENNIAL_WORKS_ON", self.works_on, there) or there
        return {kind: queue_of(self.task_queue, kind) for kind in WorkKind if kind in chosen}

    @model_validator(mode="after")
    def _knows_its_work(self) -> Self:
        _ = self.queues
        return self

    @property
    def direct_url(self) -> str:
        """The database past whatever pools connections."""
        return (self.database_direct_url or self.database_url).get_secret_value()

    async def open_pool(self) -> Pool:
        """The facts, as these settings name them."""
        from activities.kernel.pool import open_pool

        return await open_pool(self.database_url.get_secret_value(), pooled=self.database_pooled)

    @property
    def answers_to(self) -> str | None:
        """The domain of the signed addresses that answers go to; null if no inbox is known of."""
        return self.reply_domain or (self.mail_domain if self.inbox_at is not None else None)

    @model_validator(mode="after")
    def _knows_the_way_past_its_pooler(self) -> Self:
        if self.database_pooled and self.database_direct_url is None:
            raise ValueError(
                "give PERENNIAL_DATABASE_DIRECT_URL with PERENNIAL_DATABASE_POOLED: the database past the pooler"
            )
        return self

    @model_validator(mode="after")
    def _signs_its_webhooks(self) -> Self:
        if (self.webhook_url is None) != (self.webhook_secret is None):
            raise ValueError("give PERENNIAL_WEBHOOK_URL and PERENNIAL_WEBHOOK_SECRET together, or none of them")
        return self

    @model_validator(mode="after")
    def _serves_its_inbox(self) -> Self:
        if (self.inbox_certificate is None) != (self.inbox_key is None):
            raise ValueError("give PERENNIAL_INBOX_CERTIFICATE and PERENNIAL_INBOX_KEY together, or none of them")
        served = rf"[^\s:]+:\d{{1,5}}|\[[0-9a-fA-F:]+\]:\d{{1,5}}|{PIPED}"
        if self.inbox_at is not None and not re.fullmatch(served, self.inbox_at):
            way = f"or {PIPED!r} if another mail server pipes mails in"
            raise ValueError(f"PERENNIAL_INBOX_AT is {self.inbox_at!r}; give host:port, such as inbox:2525, {way}")
        return self

    @model_validator(mode="after")
    def _leads_to_its_console(self) -> Self:
        if self.console_url is not None and not is_safe_address(self.console_url):
            raise ValueError(f"PERENNIAL_CONSOLE_URL is {self.console_url!r}; give an address by https")
        return self

    @model_validator(mode="after")
    def _knows_its_provider(self) -> Self:
        if (self.oidc_issuer is None) != (self.oidc_client_id is None):
            raise ValueError("give PERENNIAL_OIDC_ISSUER and PERENNIAL_OIDC_CLIENT_ID together, or none of them")
        if (self.oidc_roles_claim is None) != (not self.oidc_roles):
            raise ValueError("give PERENNIAL_OIDC_ROLES_CLAIM and PERENNIAL_OIDC_ROLES together, or none of them")
        if any(AccessRole.PROGRAM in roles for roles in self.oidc_roles.values()):
            raise ValueError("PERENNIAL_OIDC_ROLES gives program, the role of services' keys; give people another one")
        if self.oidc_issuer is not None and not is_safe_address(self.oidc_issuer):
            raise ValueError(f"PERENNIAL_OIDC_ISSUER is {self.oidc_issuer!r}; give an address by https")
        return self

    def erasures_here(self) -> Path | None:
        """Where certificates of erasures are kept: the folder of the settings, else one beside the stack that runs here."""
        if self.erasures is not None:
            return self.erasures
        return next((folder / "erasures" for folder in (DATA_DIR, DEMO_DIR) if running_on(folder) is not None), None)

    def keeping(self) -> Keeping:
        """For how long is kept what `perennial prune` deletes."""
        from activities.kernel.pruning import Keeping

        def days(count: int) -> timedelta:
            return timedelta(days=count)

        return Keeping(
            days(self.keep_events_days),
            days(self.keep_usage_days),
            days(self.keep_audit_days),
            days(self.keep_inbound_days),
            None if self.keep_mails_days is None else days(self.keep_mails_days),
            None if self.keep_words_days is None else days(self.keep_words_days),
        )

    def provider(self) -> Registration | None:
        """With whom our people sign in; null if they do not."""
        if self.oidc_issuer is None or self.oidc_client_id is None:
            return None
        from gateway.console.identity import Registration

        return Registration(
            issuer=self.oidc_issuer,
            client_id=self.oidc_client_id,
            client_secret=self.oidc_client_secret.get_secret_value() if self.oidc_client_secret else None,
            scope=self.oidc_scope,
            claim=self.oidc_claim,
            roles_claim=self.oidc_roles_claim,
            roles={group: tuple(roles) for group, roles in self.oidc_roles.items()},
        )

    def webhooks(self) -> WebhookChannel | None:
        """Where events go; null if nobody is told. Raises ValueError for an address or a secret that cannot be used."""
        if self.webhook_url is None or self.webhook_secret is None:
            return None
        from activities.channels.webhooks import WebhookChannel

        return WebhookChannel(self.webhook_url, self.webhook_secret.get_secret_value())

    def smtp(self) -> SmtpSettings:
        """How mails leave."""
        from activities.channels.mail import SmtpSettings

        return SmtpSettings(
            host=self.smtp_host,
            port=self.smtp_port,
            username=self.smtp_username,
            password=self.smtp_password,
            start_tls=self.smtp_start_tls,
            tls=self.smtp_tls,
            sender=self.mail_sender,
            mail_domain=self.mail_domain,
            reply_domain=self.answers_to,
            public_url=self.public_url,
        )

    def issuer(self) -> Issuer:
        """Who issues documents."""
        from domain.frame.messages import Issuer

        return Issuer(
            name=self.seller_name,
            address=tuple(line for part in self.seller_address.split(";") if (line := part.strip())),
            registration=self.seller_registration,
            pay_to=self.seller_account,
            pay_within_days=self.payment_days,
        )

    def domains(self) -> Domains:
        """Under which domains mail is for us, as they stand in addresses and ids."""
        from domain.mail.marks import Domains

        wire = self.smtp()
        return Domains(wire.mail_domain, wire.reply_domain)
