"""The resources of the API: what the scopes of keys name, and the area of the registry that each one takes requests of."""

from __future__ import annotations

RESOURCES_OF = {
    "Orders": "orders",
    "Onboarding, offers, surveys": "accounts",
    "Renewals, and what the customer owns": "assets",
    "Quotes": "quotes",
    "Sales and service": "holds",
    "People, and how they are reached": "accounts",
    "Tasks of our people": "tasks",
    "Operators": "journeys",
    "Service": "cases",
    "Money given back": "claims",
}
"""The resource whose scope each area of the registry needs."""

RESOURCES = frozenset(
    {*RESOURCES_OF.values(), "contracts", "imports", "invoices", "prices", "reports", "surveys", "usage"}
)
"""Whatever scopes can name."""
