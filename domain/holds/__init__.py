"""Holds: sales held back while service owes something, and leads that service hands over."""
