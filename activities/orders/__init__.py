"""Orders: orders taken, and what becomes of their lines."""
