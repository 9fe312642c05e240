"""Checks of the exerciser elan, and what the host needs for them."""
