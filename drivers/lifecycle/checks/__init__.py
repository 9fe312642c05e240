"""Checks of the exerciser lifecycle, and what the host needs for them."""
