"""Checks of the exerciser serial_line, and what the host needs for them."""
