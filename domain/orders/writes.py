"""What is written of what is sold: entries of the catalogue that come with an order or a request."""

from __future__ import annotations

from dataclasses import dataclass

from domain.kernel.base import Write
from domain.orders.order import OrderedProduct


@dataclass(frozen=True)
class AddProducts(Write):
    """New entries of the catalogue; those that exist are left as they are."""

    products: tuple[OrderedProduct, ...]
