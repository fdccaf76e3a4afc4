"""Success after the sale: what surveys say, what revenue stays, how adopted a product is, and scores made of it."""
