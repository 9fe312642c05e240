"""Checks of the exerciser eeprom, and what the host needs for them."""
