"""Exercise a USB device below its driver: descriptors, requests, endpoints, plug, power.

Ref: USB 2.0, chapter 9
"""
