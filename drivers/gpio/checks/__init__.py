"""Checks of the exerciser gpio, and what the host needs for them."""
