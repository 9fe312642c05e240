"""Checks of the exerciser net, and what the host needs for them."""
