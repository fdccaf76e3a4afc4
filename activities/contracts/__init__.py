"""Contracts: terms, renewal, amendments, transfers."""
