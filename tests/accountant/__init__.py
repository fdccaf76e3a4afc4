"""An accountant beside the product: what every customer owes by the sources alone, compared with what the doors show."""
