"""Checks of the exerciser spi, and what the host needs for them."""
