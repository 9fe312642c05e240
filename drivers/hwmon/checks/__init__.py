"""Checks of the exerciser hwmon, and what the host needs for them."""
