"""Checks of the exerciser rtc, and what the host needs for them."""
