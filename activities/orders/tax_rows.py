"""Tax of a customer's lines in tables: the rates by which their own orders were taxed last."""

from __future__ import annotations

from decimal import Decimal

from activities.kernel.queries import Column

rates_of_lines = Column[list[Decimal] | None]("select rates from tax_rates_of_lines($1, $2, $3, $4) order by n")
"""The rates for lines of the account $1, by their products $2 and contracts $3: those of the latest line with both, else with the same
product, else with the same contract, else of any. The order $4 does not count; null if there is no other."""
