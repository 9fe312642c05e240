"""Exercise a serial port as a line for data: much of it, nothing lost."""
