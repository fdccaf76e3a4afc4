"""The asset ledger: what a customer owns, what it will cost and why. Pure functions over immutable records.

`ledger`, `model` and `operations` keep the assets; `proration`, `changes`, `refunds`, `invoicing`, `metrics`, `ramps`,
`uplift` and `usage` compute amounts by the parameters of a `policy`; `views` and `invariants` read and check.
"""
