"""Quotes in a customer's journey: asked for, approved, shown, and accepted, which makes them an order and changes the ledger."""
