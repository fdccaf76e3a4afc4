"""The channels by which something leaves the company: mail, notices to staff, provisioning."""
