"""Access: the roles of whoever signed in, what each role may ask and see, and what a key's scopes allow. The one table.

Sources: least privilege by role as in NIST RBAC (INCITS 359); scopes as in RFC 6749, section 3.3.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from pydantic import TypeAdapter, ValidationError

from domain.frame.request_kinds import Asker, RequestKind
from domain.kernel.refusals import NOT_ALLOWED, Problem, Refusal


class AccessRole(StrEnum):
    """What somebody is here for."""

    SALES = "sales"
    SUCCESS = "success"
    SERVICE = "service"
    FINANCE = "finance"
    OPERATOR = "operator"
    ADMIN = "admin"
    PROGRAM = "program"
    """a system of ours, such as the order system or a usage meter: by a key, never a person"""


class FieldGroup(StrEnum):
    """What not everybody sees of a customer."""

    PRICES = "prices"
    """prices, discounts, revenue, invoices"""
    NOTES = "notes"
    """what our people wrote for each other"""
    INTERNAL = "internal"
    """what service wrote for itself alone"""
    HEALTH = "health"
    """scores, their inputs, and why somebody may leave"""
    KEYS = "keys"
    """who may come in, and who did"""


_EVERYONE = frozenset(AccessRole)

MAY_ASK: Mapping[AccessRole, Asker] = MappingProxyType(
    {
        AccessRole.SALES: Asker.SALES,
        AccessRole.SUCCESS: Asker.SUCCESS,
        AccessRole.SERVICE: Asker.SERVICE,
        AccessRole.FINANCE: Asker.FINANCE,
        AccessRole.OPERATOR: Asker.OPERATOR,
        AccessRole.ADMIN: ~Asker.CUSTOMER,
        AccessRole.PROGRAM: Asker.PROGRAM,
    }
)
"""As whom each role asks; a request says in the registry whom it hears."""

MAY_SEE: Mapping[FieldGroup, frozenset[AccessRole]] = MappingProxyType(
    {
        FieldGroup.PRICES: _EVERYONE - {AccessRole.SERVICE, AccessRole.OPERATOR},
        FieldGroup.NOTES: _EVERYONE - {AccessRole.FINANCE, AccessRole.PROGRAM},
        FieldGroup.INTERNAL: frozenset({AccessRole.SERVICE, AccessRole.ADMIN}),
        FieldGroup.HEALTH: _EVERYONE - {AccessRole.FINANCE, AccessRole.PROGRAM},
        FieldGroup.KEYS: frozenset({AccessRole.ADMIN}),
    }
)
"""Whose role each group of fields is shown to; all others see the rest of the document."""


class WriteAct(StrEnum):
    """What can be written that is asked of no journey and no case."""

    RECORD_USAGE = "record_usage"
    PUBLISH_PRICES = "publish_prices"
    PUT_TEAM = "put_team"
    PUT_AGENT = "put_agent"
    PUT_ENTITLEMENT = "put_entitlement"
    REDELIVER_EVENT = "redeliver_event"
    APPLY_PLAYBOOK = "apply_playbook"
    """write, rehearse and bring a playbook to all customers of its segment"""
    ADD_HOLIDAY = "add_holiday"
    WITHDRAW_HOLIDAY = "withdraw_holiday"
    ADD_STAFF = "add_staff"
    CHANGE_STAFF = "change_staff"
    RETIRE_STAFF = "retire_staff"
    """somebody leaves, and hands over"""
    GRANT_ACCESS = "grant_access"
    ADD_KEY = "add_key"
    ROTATE_KEY = "rotate_key"
    REVOKE_KEY = "revoke_key"
    SETTLE_MAIL = "settle_mail"
    """say whose a mail is that nobody knows, or that it needs nothing"""
    SETTLE_EVENT = "settle_event"
    """the same of an event of another system"""
    ERASE = "erase"
    """a person, or a customer, goes for good"""


_ADMIN = frozenset({AccessRole.ADMIN})
_RUN_BY = frozenset({AccessRole.OPERATOR, AccessRole.ADMIN})

MAY_DO: Mapping[WriteAct, frozenset[AccessRole]] = MappingProxyType(
    {
        WriteAct.RECORD_USAGE: _RUN_BY | {AccessRole.PROGRAM},
        WriteAct.PUBLISH_PRICES: frozenset({AccessRole.FINANCE, AccessRole.PROGRAM, AccessRole.ADMIN}),
        WriteAct.PUT_TEAM: _RUN_BY,
        WriteAct.PUT_AGENT: _RUN_BY,
        WriteAct.REDELIVER_EVENT: _RUN_BY | {AccessRole.PROGRAM},
        WriteAct.PUT_ENTITLEMENT: _RUN_BY | {AccessRole.SERVICE, AccessRole.PROGRAM},
        WriteAct.APPLY_PLAYBOOK: _RUN_BY | {AccessRole.SUCCESS},
        WriteAct.ADD_HOLIDAY: _RUN_BY,
        WriteAct.WITHDRAW_HOLIDAY: _RUN_BY,
        WriteAct.ADD_STAFF: _RUN_BY,
        WriteAct.CHANGE_STAFF: _RUN_BY,
        WriteAct.RETIRE_STAFF: _RUN_BY,
        WriteAct.GRANT_ACCESS: _ADMIN,
        WriteAct.ADD_KEY: _ADMIN,
        WriteAct.ROTATE_KEY: _ADMIN,
        WriteAct.REVOKE_KEY: _ADMIN,
        WriteAct.SETTLE_MAIL: _RUN_BY | {AccessRole.SERVICE},
        WriteAct.SETTLE_EVENT: _RUN_BY,
        WriteAct.ERASE: _ADMIN,
    }
)
"""Whose role each of these is open to."""

MAY_DECODE = _RUN_BY
"""Who reads what a run carries, whole: every customer's, with prices, and notes for our own people."""

ANYTHING = ("*",)
WRITE = "write"
READ = "read"


@dataclass(frozen=True)
class Principal:
    """Who signed in: one of our people, or a service by its key.

    `name` stands in the audit log (`staff:s-1`, `key:erp`), `by` in requests. `titles` are the words under which they may approve
    (`manager`, `service_lead`), the highest last. `scopes` narrow a key: `orders:write`, `cases:*`, `*:read`. `own_only`: they see the
    customers that they own or look after, and those of their team if that was granted.
    """

    name: str
    by: str
    roles: frozenset[AccessRole]
    titles: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ANYTHING
    own_only: bool = False
    staff_id: str | None = None

    @property
    def asks_as(self) -> Asker:
        """As whom they ask, by all of their roles."""
        asks = Asker(0)
        for role in self.roles:
            asks |= MAY_ASK[role]
        return asks

    def sees(self, group: FieldGroup) -> bool:
        """True if a group of fields is shown to them."""
        return not self.roles.isdisjoint(MAY_SEE[group])

    def may_ask(self, kind: RequestKind[Any]) -> bool:
        """True for a request that the registry lets one of their roles make."""
        return not kind.internal and bool(self.asks_as & kind.asked_by)

    def may_do(self, act: WriteAct) -> bool:
        """True for what one of their roles may write."""
        return not self.roles.isdisjoint(MAY_DO[act])

    def is_within(self, resource: str, act: str) -> bool:
        """True if the key's scopes reach an act (`read`, `write`) on a resource (`orders`)."""
        return any(_reaches(scope, resource, act) for scope in self.scopes)


def _reaches(scope: str, resource: str, act: str) -> bool:
    on, _, to = scope.partition(":")
    return on in ("*", resource) and to in ("", "*", act)


def require(principal: Principal, kind: RequestKind[Any]) -> None:
    """Raises `Refusal` (NotAllowed) for a request that this principal may not make."""
    if not principal.may_ask(kind):
        has = ", ".join(sorted(principal.roles)) or "none"
        raise Refusal(
            NOT_ALLOWED, f"{kind.update} is not for {principal.name}, whose roles are: {has}; an admin grants others"
        )


def require_act(principal: Principal, act: WriteAct) -> None:
    """Raises `Refusal` (NotAllowed) for what this principal may not write."""
    if not principal.may_do(act):
        open_to = ", ".join(sorted(MAY_DO[act]))
        raise Refusal(
            NOT_ALLOWED, f"{act.value} is for {open_to}, and not for {principal.name}; an admin grants others"
        )


def require_sight(principal: Principal, *groups: FieldGroup) -> None:
    """Raises `Refusal` (NotAllowed) for whoever may not see one of these groups, where a document holds nothing else."""
    for group in groups:
        if not principal.sees(group):
            shown_to = ", ".join(sorted(MAY_SEE[group]))
            raise Refusal(NOT_ALLOWED, f"{group.value} are shown to {shown_to}, and not to {principal.name}")


def require_decoding(principal: Principal) -> None:
    """Raises `Refusal` (NotAllowed) for whoever may not read what runs carry: of no payload it is known whose it is, or what it says."""
    if principal.own_only or principal.roles.isdisjoint(MAY_DECODE):
        open_to = ", ".join(sorted(MAY_DECODE))
        said = f"what runs carry is read by {open_to} who see every customer, and not by {principal.name}"
        raise Refusal(NOT_ALLOWED, f"{said}; an admin grants others")


def signed(principal: Principal, kind: RequestKind[Any], request: Mapping[str, Any]) -> dict[str, Any]:
    """The request as this principal makes it: `by` and `role` are theirs, whatever it says. Raises `Refusal` (NotAllowed) if it
    says that somebody else asks, or claims a role that they do not have."""
    fields = kind.model.model_fields
    made = dict(request)
    if "by" in fields:
        if made.get("by", principal.by) != principal.by:
            said = f"leave it out: who asks is who signed in, {principal.by}"
            raise Refusal(NOT_ALLOWED, "nobody asks in somebody else's name", [Problem(field="by", problem=said)])
        made["by"] = principal.by
    if "role" in fields:
        made |= _role(principal.titles, TypeAdapter(fields["role"].rebuild_annotation()), request.get("role"))
    return made


def _role(titles: Sequence[str], field: TypeAdapter[Any], claimed: Any) -> dict[str, str]:
    """The highest of somebody's titles that the field knows, or the one that they chose."""
    if claimed is not None:
        if claimed not in titles:
            has = ", ".join(titles) or "none"
            said = f"leave it out, or give one of yours ({has}); an admin grants others"
            raise Refusal(NOT_ALLOWED, "this role is not yours", [Problem(field="role", problem=said)])
        return {"role": str(claimed)}
    return next(({"role": title} for title in reversed(titles) if takes(field, title)), {})


def takes(field: TypeAdapter[Any], title: str) -> bool:
    """True if a field of a role knows it by this word."""
    try:
        field.validate_python(title)
    except ValidationError:
        return False
    return True


def read_scopes(scopes: Collection[str], resources: Collection[str]) -> tuple[str, ...]:
    """Scopes as they are kept, sorted. Raises `Refusal` (InvalidScope) for one that reaches nothing."""
    for scope in scopes:
        on, _, to = scope.partition(":")
        if on not in {"*", *resources} or to not in ("", "*", READ, WRITE):
            said = f"{scope!r} is no scope; write one as orders:write, cases:*, *:read; resources: {', '.join(sorted(resources))}"
            raise Refusal("InvalidScope", said)
    return tuple(sorted(set(scopes)))
