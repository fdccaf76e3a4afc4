"""Configuration: from a wanted product and its choices to the lines that are sold, or to a refusal by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from domain.assets.bundles import MOST_BUNDLE_LINES, ChildQuantity
from domain.assets.model import Attributes, SellingModel
from domain.catalogue.catalogue import Catalogue, Option, OptionRuleKind, Product
from domain.catalogue.errors import (
    AttributeValueError,
    OptionQuantityError,
    OptionRuleError,
    SellingModelError,
    UnknownAttributeError,
    UnknownOptionError,
    one_of,
)
from domain.quotes.request_lines import Choice, SaleLine


class Configured(NamedTuple):
    """A product that is sold, with all its attributes; `option` and `per_parent` are set below a bundle's root."""

    line_id: str
    parent_id: str | None
    product: Product
    model: SellingModel
    quantity: int
    attributes: Attributes
    option: Option | None = None
    per_parent: int = 1

    @property
    def included(self) -> bool:
        """Whether the bundle's price pays for it."""
        return self.option is not None and self.option.included_in_price


def configure(catalogue: Catalogue, sale: SaleLine) -> list[Configured]:
    """The sale's product and, for a bundle, its options, parents first.

    Raises:
        QuoteError: The product, an attribute, a value, an option or a quantity is not on offer; the subclass says which.
    """
    product = catalogue.product(sale.product)
    root = Configured(
        line_id=sale.line_id,
        parent_id=None,
        product=product,
        model=_model(product, sale.selling_model),
        quantity=sale.quantity,
        attributes=complete_attributes(product, sale.attributes),
    )
    found = [root, *_children(catalogue, root, sale.choices)]
    if len(found) > MOST_BUNDLE_LINES:
        raise OptionQuantityError(
            f"{product.code} would have {len(found)} lines; a bundle has at most {MOST_BUNDLE_LINES}"
        )
    return found


def _model(product: Product, wanted: SellingModel | None) -> SellingModel:
    if wanted is None:
        return product.selling_models[0]
    if wanted not in product.selling_models:
        raise SellingModelError(f"{product.code} is sold {' or '.join(product.selling_models)}, not {wanted}")
    return wanted


def check_attributes(product: Product, given: Attributes) -> None:
    """Raise `UnknownAttributeError` or `AttributeValueError` unless the product allows what is given."""
    rules = {rule.name: rule for rule in product.attributes}
    for name, value in given.items():
        if name not in rules:
            raise UnknownAttributeError(f"{product.code} has no attribute {name!r}; {one_of(name, rules)}")
        if value not in rules[name].values:
            raise AttributeValueError(
                f"{product.code}: {name} cannot be {value!r}; {one_of(value, rules[name].values)}"
            )


def complete_attributes(product: Product, given: Attributes) -> Attributes:
    """The given attributes and the defaults of the others.

    Raises:
        UnknownAttributeError: The product has no such attribute.
        AttributeValueError: A value is not allowed, or missing without a default.
    """
    if not given and not product.attributes:
        return {}
    check_attributes(product, given)
    complete: Attributes = {}
    for rule in product.attributes:
        value = given.get(rule.name, rule.default)
        if value is None:
            raise AttributeValueError(f"{product.code} needs {rule.name}; {one_of('', rule.values)}")
        complete[rule.name] = value
    return complete


def _children(catalogue: Catalogue, parent: Configured, choices: Sequence[Choice]) -> Iterator[Configured]:
    product = parent.product
    if not product.options and not choices:
        return
    chosen = _chosen(product, choices)
    _check_rules(product, {code for code, choice in chosen.items() if choice.quantity})
    number = 0
    for option in product.options:
        choice = chosen[option.product]
        if not choice.quantity:
            continue
        number += 1
        part = catalogue.product(option.product)
        proportional = option.child_quantity is ChildQuantity.PROPORTIONAL
        child = Configured(
            line_id=f"{parent.line_id}.{number}",
            parent_id=parent.line_id,
            product=part,
            model=_fitting_model(part, parent.model),
            quantity=choice.quantity * (parent.quantity if proportional else 1),
            attributes=complete_attributes(part, choice.attributes),
            option=option,
            per_parent=choice.quantity if proportional else 1,
        )
        yield child
        yield from _children(catalogue, child, choice.choices)


def _fitting_model(product: Product, parent: SellingModel) -> SellingModel:
    """The parent's selling model, if the product has it."""
    return parent if parent in product.selling_models else product.selling_models[0]


def _chosen(product: Product, choices: Sequence[Choice]) -> dict[str, Choice]:
    options = {option.product: option for option in product.options}
    chosen: dict[str, Choice] = {}
    for choice in choices:
        if choice.option not in options:
            raise UnknownOptionError(
                f"{product.code} has no option {choice.option!r}; {one_of(choice.option, options)}"
            )
        if choice.option in chosen:
            raise OptionQuantityError(f"option {choice.option} is chosen twice; add up its quantity")
        chosen[choice.option] = choice
    for code, option in options.items():
        choice = chosen.setdefault(code, Choice(option=code, quantity=option.default))
        if (choice.quantity or option.least) and not option.allows(choice.quantity):
            upper = "" if option.most is None else f" and at most {option.most}"
            raise OptionQuantityError(
                f"{product.code} takes at least {option.least}{upper} of {code}, not {choice.quantity}"
            )
    return chosen


def _check_rules(product: Product, taken: set[str]) -> None:
    for rule in product.rules:
        if rule.option not in taken:
            continue
        if rule.kind is OptionRuleKind.REQUIRES and rule.other not in taken:
            raise OptionRuleError(f"{product.code}: {rule.option} needs {rule.other}; add it")
        if rule.kind is OptionRuleKind.EXCLUDES and rule.other in taken:
            raise OptionRuleError(f"{product.code}: {rule.option} and {rule.other} exclude each other; drop one")
