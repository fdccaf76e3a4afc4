"""Mail: mail that comes in, and the keys that sign what goes out."""
