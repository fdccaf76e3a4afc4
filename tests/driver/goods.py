"""What the driver's customers can buy, and for how much."""

from __future__ import annotations

from domain.catalogue.catalogue import Catalogue, Product

PRICES = (("SEATS", "12", "month"), ("PRO", "30", "month"), ("BEANS", "9", "once"))


def catalogue_with(device: str) -> Catalogue:
    """Subscriptions, goods, and the device of one life."""
    kinds = (("SEATS", "subscription"), ("PRO", "subscription"), ("BEANS", "goods"), (device, "device"))
    return Catalogue(
        products=tuple(
            Product.model_validate(
                {
                    "code": code,
                    "name": code.title(),
                    "kind": kind,
                    "selling_models": ["termed" if kind == "subscription" else "one_time"],
                    **({"term_months": 12} if kind == "subscription" else {}),
                }
            )
            for code, kind in kinds
        )
    )
