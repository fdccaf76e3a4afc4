"""What is asked of the assets of a running journey: amendments, renewals, cancellations, transfers, swaps and rollbacks.

`replanning` says what a change of the ledger means for contracts, their terms and the agenda.
"""
