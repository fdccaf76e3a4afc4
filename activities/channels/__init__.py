"""The doors through which something leaves the company: mail, notices to staff, provisioning."""
