"""The facts in PostgreSQL. This package is the only place with SQL; every function works inside the caller's transaction."""
