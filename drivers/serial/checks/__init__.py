"""Checks of the exerciser serial, and what the host needs for them."""
