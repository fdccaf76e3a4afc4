"""Assets: the ledger of what a customer owns."""
