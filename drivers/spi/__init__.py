"""Exercise spidev: /dev/spidevB.C.

Ref: Documentation/spi/spidev.rst, include/uapi/linux/spi/spidev.h
"""
