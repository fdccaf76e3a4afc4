"""Claims: money given back for a price that fell, and goodwill."""
