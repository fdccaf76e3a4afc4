"""Files that others made, turned into orders and usage: every line ends as imported or rejected, with its reason."""
