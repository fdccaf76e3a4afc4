"""What the product costs, measured beside its floors: `python -m tests.bench`. Each group is a module with `rows`."""
