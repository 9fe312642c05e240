"""Checks of the exerciser dm9000, and what the host needs for them."""
