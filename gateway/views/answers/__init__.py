"""What requests are answered."""
