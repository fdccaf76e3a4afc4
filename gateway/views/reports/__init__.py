"""Figures over many customers, as documents."""
