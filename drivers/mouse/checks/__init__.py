"""Checks of the exerciser mouse, and what the host needs for them."""
