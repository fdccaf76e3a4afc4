"""Rehearsals: a customer's life lived on the running stack through the public doors, by a script of what the customer does."""
