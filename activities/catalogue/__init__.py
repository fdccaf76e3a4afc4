"""Catalogue: products and price books."""
