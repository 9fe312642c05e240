"""Checks of the exerciser i2c, and what the host needs for them."""
