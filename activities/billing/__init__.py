"""Billing: invoices, credit memos, and when they fall due."""
