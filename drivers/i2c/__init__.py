"""Exercise an I2C adapter through /dev/i2c-N: SMBus protocols and combined messages.

Ref: Documentation/i2c/
"""
