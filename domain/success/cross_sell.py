"""Cross-sell: what customers who bought the same have bought too, and how often such a suggestion came true."""

from __future__ import annotations

import heapq
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date

Bought = Mapping[str, Mapping[str, date]]
"""Accounts, each with the products they have bought and the latest day of each."""

SUGGESTED = 10
_NEAREST = 50
"""So many products that are bought together are kept for each."""
_LATEST = 200
"""So many of an account's latest products say what goes with what: one that buys everything says little."""
_HALF_LIFE = 60
"""After so many days what was bought says half as much of what will be."""
_FEW = 5
"""A product that few have bought is no surer than one that so many more have."""
_POPULAR = 0.7
"""How far the frequency of a product is taken out: at 1 rare ones win by chance, at 0 everybody is told of the same."""
_HISTORY = 30
"""From so many customers on the past tells something."""


@dataclass(frozen=True)
class Near:
    """A product that is bought together with another: by `together` of the accounts that have the other; `weight` orders them."""

    product: str
    together: int
    weight: float


@dataclass(frozen=True)
class Suggestion:
    """A product that an account has not bought; `together` of the `buyers` of `because`, which they have, bought it too."""

    product: str
    because: str
    together: int
    buyers: int


@dataclass(frozen=True)
class Neighbours:
    """What goes with what, from everybody's purchases."""

    near: Mapping[str, Sequence[Near]]
    buyers: Mapping[str, int]

    def suggestions(self, own: Mapping[str, date], as_of: date, most: int = SUGGESTED) -> list[Suggestion]:
        """What an account with these purchases is likely to buy next, the likeliest first; empty if nobody bought the same."""
        points: dict[str, float] = defaultdict(float)
        causes: dict[str, tuple[float, str, int]] = {}
        for product, day in sorted(own.items()):
            fresh = 0.5 ** (max(0, (as_of - day).days) / _HALF_LIFE)
            for near in self.near.get(product, ()):
                if near.product in own:
                    continue
                share = fresh * near.weight
                points[near.product] += share
                causes[near.product] = max(causes.get(near.product, (0.0, "", 0)), (share, product, near.together))
        best = heapq.nsmallest(most, points, key=lambda product: (-points[product], product))
        return [
            Suggestion(product, cause, together, self.buyers[cause])
            for product in best
            for _, cause, together in [causes[product]]
        ]

    def popular(self, own: Mapping[str, date], most: int = SUGGESTED) -> list[str]:
        """The products that most have bought and this account has not."""
        new = [product for product in self.buyers if product not in own]
        return heapq.nsmallest(most, new, key=lambda product: (-self.buyers[product], product))


def neighbours(bought: Bought) -> Neighbours:
    """What is bought together, from every account's latest products; large accounts count for less."""
    buyers = Counter(product for products in bought.values() for product in products)
    weights: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    together: dict[str, Counter[str]] = defaultdict(Counter)
    for products in bought.values():
        latest = sorted(products, key=lambda product: (products[product], product))[-_LATEST:]
        weight = 1 / math.log(2 + len(latest))
        for product in latest:
            of_product = weights[product]
            for other in latest:
                of_product[other] += weight
            together[product].update(latest)
    damped = {product: (count + _FEW) ** _POPULAR for product, count in buyers.items()}
    near = {}
    for product, others in weights.items():
        del others[product]
        own = math.sqrt(buyers[product] + _FEW)
        weighed = (Near(other, together[product][other], w / (own * damped[other])) for other, w in others.items())
        near[product] = heapq.nsmallest(_NEAREST, weighed, key=lambda one: (-one.weight, one.product))
    return Neighbours(near, buyers)


@dataclass(frozen=True)
class HitRate:
    """How suggestions of a day came true: of `suggested` for `customers` who bought again, `hits` were bought, for the first time,
    in the time after; `popular_hits` is the same for the most popular products."""

    as_of: date
    customers: int
    suggested: int
    hits: int
    popular_suggested: int
    popular_hits: int

    @property
    def precision(self) -> float | None:
        """The share of suggestions that were bought; null without any."""
        return self.hits / self.suggested if self.suggested else None

    @property
    def popular(self) -> float | None:
        """The same for the most popular products."""
        return self.popular_hits / self.popular_suggested if self.popular_suggested else None

    @property
    def tells(self) -> bool:
        """True if so many came back that the figure means something."""
        return self.customers >= _HISTORY


def hit_rate(before: Bought, after: Mapping[str, Set[str]], as_of: date) -> HitRate:
    """What suggestions from purchases `before` a day would have hit `after` it. Nothing of what came after is looked at before."""
    known = neighbours(before)
    customers = [account for account in before if after.get(account)]
    suggested = hits = popular_suggested = popular_hits = 0
    for account in customers:
        own = before[account]
        new = after[account] - own.keys()
        made = [one.product for one in known.suggestions(own, as_of)]
        usual = known.popular(own)
        suggested, hits = suggested + len(made), hits + len(new.intersection(made))
        popular_suggested, popular_hits = popular_suggested + len(usual), popular_hits + len(new.intersection(usual))
    return HitRate(as_of, len(customers), suggested, hits, popular_suggested, popular_hits)
