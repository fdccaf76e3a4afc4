"""Every refusal of the quoting library, by name. `code` is stable; the message says what would be right."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from domain.kernel.rule_errors import RuleError

MOST_NAMED = 12


class QuoteError(RuleError):
    """A quote that is refused."""

    code = "quote_error"


class UnknownProductError(QuoteError):
    code = "unknown_product"


class UnknownAttributeError(QuoteError):
    code = "unknown_attribute"


class AttributeValueError(QuoteError):
    """A value that the attribute does not allow, or none where one is needed."""

    code = "attribute_value_not_allowed"


class UnknownOptionError(QuoteError):
    code = "unknown_option"


class OptionQuantityError(QuoteError):
    """An option that is missing, or outside its least and most quantity."""

    code = "option_quantity_not_allowed"


class OptionRuleError(QuoteError):
    """Options that need or exclude each other."""

    code = "option_rule_broken"


class SellingModelError(QuoteError):
    """The product is not sold in this way, or not with these dates."""

    code = "selling_model_not_offered"


class TermMissingError(QuoteError):
    code = "term_missing"


class PriceBookMismatchError(QuoteError):
    """More than one price book or currency in a quote."""

    code = "mixed_price_books"


class PriceBookNotValidError(QuoteError):
    """No price book, or one outside its validity."""

    code = "price_book_not_valid"


class NoPriceError(QuoteError):
    """The price book has no price for this product, configuration and quantity."""

    code = "no_price"


class OtherAccountError(QuoteError):
    code = "asset_of_other_account"


class DuplicateLineError(QuoteError):
    """Two lines with one id, or two for one asset."""

    code = "duplicate_line"


class TooManyLinesError(QuoteError):
    code = "too_many_lines"


class DiscountError(QuoteError):
    """A discount that names no line of the quote, or one that cannot be discounted, or that goes below zero."""

    code = "discount_not_applicable"


class DiscountLimitError(QuoteError):
    """Nobody may give a discount that deep."""

    code = "discount_beyond_every_limit"


class QuoteStateError(QuoteError):
    """The quote cannot go from its state to the wanted one."""

    code = "quote_state"


class QuoteExpiredError(QuoteError):
    code = "quote_expired"


class QuoteStaleError(QuoteError):
    """What the quote was made for is no longer so: make another version."""

    code = "quote_stale"


def one_of(wanted: str, known: Iterable[str]) -> str:
    """What to say beside an unknown word: the nearest known one, or what there is to choose from."""
    words = sorted(known)
    if near := get_close_matches(wanted, words, n=1):
        return f"did you mean {near[0]!r}?"
    if not words:
        return "there is none"
    more = "" if len(words) <= MOST_NAMED else f" and {len(words) - MOST_NAMED} more"
    return f"use one of {', '.join(words[:MOST_NAMED])}{more}"
