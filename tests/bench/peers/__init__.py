"""The same customer-year on other engines, as their users would write it. What is to be done is the same for all, and stands in `work`."""
