"""Mail that comes in: what it says, who wrote it, what it answers and asks, and whom it concerns."""
