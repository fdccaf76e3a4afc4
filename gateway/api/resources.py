"""The resources of the API: what the scopes of keys name, and the area of the registry that each one takes requests of."""

from __future__ import annotations

from domain.journey.registry import OF_CASES, OF_JOURNEYS, OPERATIONS

RESOURCES_OF = {
    "Orders": "orders",
    "Onboarding, offers, surveys": "accounts",
    "Renewals, and what the customer owns": "assets",
    "Quotes": "quotes",
    "Payments": "invoices",
    "Sales and service": "holds",
    "People, and how they are reached": "accounts",
    "Tasks of our people": "tasks",
    "Operators": "journeys",
    "Service": "cases",
    "Money given back": "claims",
}
"""The resource whose scope each area of the registry needs."""

_NAMED = {
    id(kind): RESOURCES_OF[area] for areas in (OF_JOURNEYS, OF_CASES) for area, kinds in areas.items() for kind in kinds
}
RESOURCE_OF = {name: _NAMED[id(kind)] for name, kind in OPERATIONS.items()} | {"import_order": "imports"}
"""The resource whose scope each operation needs."""

RESOURCES = frozenset(
    {
        *RESOURCES_OF.values(),
        "audit",
        "contracts",
        "deliveries",
        "entitlements",
        "events",
        "imports",
        "prices",
        "reports",
        "surveys",
        "teams",
        "usage",
    }
)
"""Whatever scopes can name."""
