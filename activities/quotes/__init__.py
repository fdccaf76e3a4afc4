"""Quotes: configured, priced, approved, answered."""
