"""What is suggested comes from what others bought together before, never from what came after."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.success.cross_sell import Suggestion, hit_rate, neighbours

DAY = date(2026, 6, 1)
ago = [DAY - timedelta(days=n) for n in range(400)]


def test_what_goes_together_is_suggested_before_what_is_merely_popular() -> None:
    """Everybody buys paper; of those who bought a printer most bought toner."""
    bought = {f"p{n}": {"paper": ago[5], "printer": ago[9], **({"toner": ago[4]} if n < 7 else {})} for n in range(10)}
    bought |= {f"o{n}": {"paper": ago[5], "chairs": ago[8]} for n in range(30)}
    known = neighbours(bought)
    new = {"printer": ago[1]}
    assert known.suggestions(new, DAY, 1) == [Suggestion("toner", "printer", 7, 10)]
    assert known.popular(new, 1) == ["paper"]
    assert known.suggestions({"unheard of": ago[1]}, DAY) == []
    assert all(one.product not in bought["p0"] for one in known.suggestions(bought["p0"], DAY))


def test_what_was_bought_lately_says_more() -> None:
    bought = {f"a{n}": {"camera": ago[50], "film": ago[40]} for n in range(9)}
    bought |= {f"b{n}": {"bike": ago[50], "helmet": ago[40]} for n in range(9)}
    known = neighbours(bought)
    assert known.suggestions({"camera": ago[300], "bike": ago[2]}, DAY, 1)[0].product == "helmet"
    assert known.suggestions({"camera": ago[2], "bike": ago[300]}, DAY, 1)[0].product == "film"


PURCHASES = st.dictionaries(
    st.sampled_from([f"c{n}" for n in range(8)]),
    st.dictionaries(st.sampled_from([f"p{n}" for n in range(12)]), st.sampled_from(ago), min_size=1, max_size=8),
    min_size=1,
)


@given(PURCHASES)
def test_suggestions_are_new_to_each_and_their_counts_are_so(bought: dict[str, dict[str, date]]) -> None:
    known = neighbours(bought)
    holders = defaultdict(set)
    for account, products in bought.items():
        for product in products:
            holders[product].add(account)
    for own in bought.values():
        found = known.suggestions(own, DAY)
        assert len({one.product for one in found}) == len(found) <= 10
        for one in found:
            assert one.product not in own
            assert one.because in own
            assert one.buyers == len(holders[one.because])
            assert one.together == len(holders[one.because] & holders[one.product]) > 0


@given(PURCHASES, PURCHASES)
def test_hits_are_what_was_bought_for_the_first_time(
    before: dict[str, dict[str, date]], later: dict[str, dict[str, date]]
) -> None:
    after = {account: frozenset(products) for account, products in later.items()}
    rate = hit_rate(before, after, DAY)
    known = neighbours(before)
    back = [account for account in before if account in after]
    assert rate.customers == len(back)
    made = {account: {one.product for one in known.suggestions(before[account], DAY)} for account in back}
    assert rate.suggested == sum(map(len, made.values()))
    assert rate.hits == sum(len(made[account] & (after[account] - before[account].keys())) for account in back)
    assert not rate.tells
