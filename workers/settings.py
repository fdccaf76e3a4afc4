"""Settings from the environment: `PERENNIAL_*` here, `TEMPORAL_*` by Temporal's own configuration."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from activities.channels.mail import SmtpSettings
from gateway.client import TASK_QUEUE


class Settings(BaseSettings):
    """Everything a process needs to know besides Temporal. Made once, in `main`, never at import."""

    model_config = SettingsConfigDict(env_prefix="PERENNIAL_", frozen=True)

    database_url: SecretStr = SecretStr("postgresql://localhost/perennial")
    task_queue: str = TASK_QUEUE
    seller_name: str = "InfintraBytes"
    playbooks: Path | None = None
    """a folder with playbooks of your own; the ones that come along otherwise"""
    service_book: Path | None = None
    """a folder with policies, calendars and a desk of your own; the ones that come along otherwise"""
    provisioning_url: str | None = None
    """where orders are provided; without it what was sold counts as provided at once"""
    smtp_host: str = "localhost"
    smtp_port: int = 25
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_start_tls: bool = False
    smtp_tls: bool = False
    mail_sender: str = "success@perennial.example"
    mail_domain: str = "perennial.example"

    def smtp(self) -> SmtpSettings:
        """How mails leave."""
        return SmtpSettings(
            host=self.smtp_host,
            port=self.smtp_port,
            username=self.smtp_username,
            password=self.smtp_password,
            start_tls=self.smtp_start_tls,
            tls=self.smtp_tls,
            sender=self.mail_sender,
            mail_domain=self.mail_domain,
        )
