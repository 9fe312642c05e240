"""Exercise a serial port with a loop-back plug through its tty.

Ref: Documentation/driver-api/serial/driver.rst
"""
