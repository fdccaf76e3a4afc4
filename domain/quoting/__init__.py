"""Configure, price, quote, and order to cash as far as it is pure: no tables, no clock.

`catalogue`, `pricebook` and `configure` say what can be sold and at which list price; `pricing` makes a `quote` out of a
request by carrying it out on a copy of the ledger; `approval` and `versions` lead it to acceptance; `ordering`,
`fulfilment` and `billing` take over from there.
"""
