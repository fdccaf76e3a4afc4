"""A customer's future, lived on a copy: servers of its own, the real code, and nothing that leaves."""
