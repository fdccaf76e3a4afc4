"""What service promises, on file: policies, calendars and the desk, read when a worker starts and checked before anything runs by them.

Each `*.yaml` holds one `policy`, one `calendar`, the `desk`, or `claims`: the terms of price protection and goodwill. A calendar
may name the national holidays of a country and the years to take them for; they are written into its version, so that later
holiday data moves no promise already made.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from domain.claims.policy import ClaimPolicy
from domain.kernel.business_calendar import BusinessCalendar, check_before_saving
from domain.kernel.business_errors import ServiceRuleError
from domain.kernel.national import national_holidays
from domain.kernel.refusals import Refusal
from domain.service.desk import Desk, ServiceBook
from domain.service.entitlements import PolicyBook, ServicePolicy

FOLDER = Path(__file__).parent


class ServiceBookError(ValueError):
    """A file of the service book is wrong; the message names the file, the field and what would be right."""


def read_service_book(folder: Path = FOLDER) -> ServiceBook:
    """Everything in `folder`. Raises ServiceBookError for what cannot be used."""
    policies: list[ServicePolicy] = []
    calendars: dict[str, BusinessCalendar] = {}
    desk = Desk()
    claims = ClaimPolicy(version=1)
    for path in sorted(folder.glob("*.yaml")):
        try:
            kind, body = _one_entry(yaml.safe_load(path.read_text(encoding="utf-8")))
            if kind == "policy":
                policies.append(ServicePolicy.model_validate(body))
            elif kind == "calendar":
                calendar = _calendar(body)
                calendars[calendar.id] = calendar
            elif kind == "desk":
                desk = Desk.model_validate(body)
            else:
                claims = ClaimPolicy.model_validate(body)
        except yaml.YAMLError as error:
            raise ServiceBookError(f"{path.name} is no YAML: {error}") from error
        except ValidationError as error:
            raise ServiceBookError(str(Refusal.from_validation("InvalidServiceBook", path.name, error))) from error
        except ServiceRuleError as error:
            raise ServiceBookError(f"{path.name}: {error}") from error
    try:
        return ServiceBook(policies=PolicyBook(policies=tuple(policies)), calendars=calendars, desk=desk, claims=claims)
    except ValidationError as error:
        raise ServiceBookError(str(Refusal.from_validation("InvalidServiceBook", str(folder), error))) from error


def _one_entry(document: Any) -> tuple[str, dict[str, Any]]:
    if isinstance(document, dict) and len(document) == 1:
        kind, body = next(iter(document.items()))
        if kind in ("policy", "calendar", "desk", "claims") and isinstance(body, dict):
            return kind, body
    raise ServiceRuleError("give one entry: policy, calendar, desk or claims, with what belongs to it")


def _calendar(body: dict[str, Any]) -> BusinessCalendar:
    body = dict(body)
    national = body.pop("national", None)
    calendar = BusinessCalendar.model_validate(body)
    if national is not None:
        years = range(int(national["first"]), int(national["last"]) + 1)
        found = national_holidays(str(national["country"]), years, subdivision=national.get("subdivision"))
        calendar = calendar.having(holidays=(*calendar.holidays, *found))
    check_before_saving(calendar)
    return calendar
