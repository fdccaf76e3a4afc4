"""Conventions of other systems that worked cases need and no customer of ours has: beside the product, not in it."""
