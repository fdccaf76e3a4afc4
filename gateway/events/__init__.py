"""Events of foreign systems: who may send them, what they become here, and what waits for a person."""
