"""Service: cases, entitlements, and the promises of both."""
