"""The product catalogue: what can be sold, in which ways, with which attributes and options."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from domain.assets.bundles import ChildQuantity
from domain.assets.model import PricingSource, RenewalPricing, SellingModel
from domain.catalogue.errors import UnknownProductError, one_of
from domain.kernel.base import Received
from domain.kernel.indexed import Indexed
from domain.orders.order import Code, ProductKind, Text

AttributeName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]\w{0,39}$")]


class AttributeRule(Received):
    """An attribute and its allowed values; without a default one of them must be chosen."""

    name: AttributeName
    values: Annotated[tuple[Text, ...], Field(min_length=1)]
    default: Text | None = None

    @model_validator(mode="after")
    def _default_is_allowed(self) -> Self:
        if self.default is not None and self.default not in self.values:
            raise ValueError(f"the default {self.default!r} is none of the values {', '.join(self.values)}")
        return self


class Option(Received):
    """A product that can be part of a bundle. Quantities are for one unit of the parent if the child is proportional.

    `least` above zero makes the option required; without a choice `default` units are taken.
    """

    product: Code
    least: Annotated[int, Field(ge=0)] = 0
    most: Annotated[int, Field(ge=1)] | None = None
    default: Annotated[int, Field(ge=0)] = 0
    child_quantity: ChildQuantity = ChildQuantity.CONSTANT
    included_in_price: bool = False

    @model_validator(mode="after")
    def _bounds_fit(self) -> Self:
        if self.most is not None and self.most < self.least:
            raise ValueError(f"option {self.product}: at most {self.most} is less than at least {self.least}")
        if self.default and not self.allows(self.default):
            raise ValueError(f"option {self.product}: the default {self.default} is not within its limits")
        return self

    def allows(self, quantity: int) -> bool:
        return self.least <= quantity and (self.most is None or quantity <= self.most)


class OptionRuleKind(StrEnum):
    REQUIRES = "requires"
    EXCLUDES = "excludes"


class OptionRule(Received):
    """Whoever takes `option` must, or must not, take `other`."""

    kind: OptionRuleKind
    option: Code
    other: Code


class Product(Received):
    """A product. The first selling model is used where a request names none; a product with options is a bundle."""

    code: Code
    name: Text
    kind: ProductKind
    selling_models: Annotated[tuple[SellingModel, ...], Field(min_length=1)]
    term_months: Annotated[int, Field(ge=1, le=240)] | None = None
    renewal_months: Annotated[int, Field(ge=1, le=240)] | None = None
    pricing_source: PricingSource = PricingSource.LAST_TRANSACTION
    renewal_pricing: RenewalPricing = RenewalPricing.LOT_BY_LOT
    attributes: tuple[AttributeRule, ...] = ()
    options: tuple[Option, ...] = ()
    rules: tuple[OptionRule, ...] = ()

    @model_validator(mode="after")
    def _rules_name_options(self) -> Self:
        _no_twice(f"attribute of {self.code}", (rule.name for rule in self.attributes))
        _no_twice(f"option of {self.code}", (option.product for option in self.options))
        known = {option.product for option in self.options}
        for rule in self.rules:
            for named in (rule.option, rule.other):
                if named not in known:
                    raise ValueError(f"a rule of {self.code} names {named!r}, which is no option of it")
        return self


class Catalogue(Indexed):
    """All products. Options must be products, and no product may contain itself."""

    products: tuple[Product, ...]

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        _no_twice("product", (product.code for product in self.products))
        codes = {product.code for product in self.products}
        for parent, child in self._edges():
            if child not in codes:
                raise ValueError(f"{parent} has the option {child!r}, which is no product of the catalogue")
        graph: dict[str, set[str]] = {}
        for parent, child in self._edges():
            graph.setdefault(parent, set()).add(child)
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            raise ValueError(f"bundles contain each other: {' > '.join(error.args[1])}") from error
        return self

    def _edges(self) -> Iterator[tuple[str, str]]:
        return ((product.code, option.product) for product in self.products for option in product.options)

    @cached_property
    def by_code(self) -> dict[str, Product]:
        return {product.code: product for product in self.products}

    def product(self, code: str) -> Product:
        """The product with this code.

        Raises:
            UnknownProductError: There is none.
        """
        if code not in self.by_code:
            raise UnknownProductError(f"no product {code!r}; {one_of(code, self.by_code)}")
        return self.by_code[code]


def _no_twice(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"{what} {name!r} is there twice")
        seen.add(name)
