"""Rehearsals: a customer's life lived on the running stack through the public clients, by a script of what the customer does."""
