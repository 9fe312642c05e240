"""Exercise an ELAN SPI fingerprint sensor from user space.

Ref: libfprint, drivers/elanspi: the wire format
"""
