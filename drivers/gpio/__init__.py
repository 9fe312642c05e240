"""Exercise GPIO lines through /dev/gpiochipN.

Ref: Documentation/userspace-api/gpio/chardev.rst
"""
