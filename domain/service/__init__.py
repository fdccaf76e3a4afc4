"""Service after the sale: business time, milestones, cases, holds on sales, refunds, and what it all returns."""
