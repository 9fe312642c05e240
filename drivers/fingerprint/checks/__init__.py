"""Checks of the exerciser fingerprint, and what the host needs for them."""
