"""Exercise a fingerprint sensor of the FPC1020 family from user space.

Ref: the vendor's kernel driver for Android
"""
