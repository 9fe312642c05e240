"""Checks of the exerciser pwm, and what the host needs for them."""
