"""Every refusal of the asset library, by name. `code` is stable: tables, updates and answers carry it."""

from __future__ import annotations

from domain.kernel.rule_errors import RuleError


class AssetError(RuleError):
    """A request that the ledger refuses."""

    code = "asset_error"


class UnknownAssetError(AssetError):
    code = "unknown_asset"


class AssetExistsError(AssetError):
    code = "asset_exists"


class AssetCancelledError(AssetError):
    """A cancellation is final."""

    code = "asset_cancelled"


class AssetExpiredError(AssetError):
    """The term is over at the effective instant: renew the asset instead."""

    code = "asset_expired"


class AssetLockedError(AssetError):
    """The other half of a transfer is still under way."""

    code = "asset_locked"


class InFlightError(AssetError):
    """Another transaction changed the asset since the caller read it."""

    code = "already_in_flight"
    refused_as = "AssetChanged"


class MissingQuantityChangeError(AssetError):
    code = "missing_quantity_change"


class OverReductionError(AssetError):
    """An affected period holds less than is taken away."""

    code = "over_reduction"


class TransferQuantityError(AssetError):
    code = "transfer_exceeds_minimum_quantity"


class TransferLinesError(AssetError):
    code = "too_many_transfer_lines"


class TransactionError(AssetError):
    """A transaction with too many lines, or with two lines for one asset."""

    code = "transaction_not_valid"


class BeforeAssetStartError(AssetError):
    code = "before_asset_start"


class BackdateError(AssetError):
    code = "backdate_not_allowed"


class StartDateError(AssetError):
    """The start can move only while it lies in the future, and only to a later day than today."""

    code = "start_date_not_changeable"


class EndBeforeStartError(AssetError):
    code = "end_before_start"


class LaterTransactionError(AssetError):
    """An end-date amendment must be the last transaction before the term's end."""

    code = "later_transaction_exists"


class MixedPriceBooksError(AssetError):
    code = "mixed_price_books"


class PriceBookError(AssetError):
    """Price book or currency differ from those of the initial sale."""

    code = "price_book_differs"


class PriceMissingError(AssetError):
    """The asset is priced by the price list, and the request brings no price."""

    code = "price_missing"


class RestrictedError(AssetError):
    """The kind of asset (ramp, usage, derived price, one-time, evergreen) does not allow the operation."""

    code = "restricted"


class RampCoterminationError(AssetError):
    code = "ramp_with_cotermination"


class RenewalTermMissingError(AssetError):
    code = "renewal_term_missing"


class FutureRenewalError(AssetError):
    code = "future_renewal_exists"


class IndexRateMissingError(AssetError):
    code = "no_index_rate"


class RollbackTooLateError(AssetError):
    code = "rollback_too_late"


class RollbackNotEligibleError(AssetError):
    code = "rollback_not_eligible"


class SegmentError(AssetError):
    """Segments or periods with a gap or an overlap, or more of them than a ramp may have."""

    code = "segments_not_valid"


class ContractError(AssetError):
    """Asset and contract do not fit each other."""

    code = "contract_differs"


class PolicyError(AssetError):
    """A proration policy that is unknown or contradicts itself."""

    code = "policy_not_valid"


class LedgerCorruptError(AssetError):
    """Stored actions that break an invariant of the ledger; nobody's request, but a damaged history."""

    code = "ledger_corrupt"
    wrong_fact = True


class CurrencyMissingError(AssetError):
    """An amount of money without its currency means nothing."""

    code = "money_without_currency"


class HistoryError(AssetError):
    """An imported history that contradicts itself, or that no sequence of operations leads to."""

    code = "history_not_valid"
