"""Checks of the exerciser usb, and what the host needs for them."""
