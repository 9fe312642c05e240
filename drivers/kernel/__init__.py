"""The kernel's health, and its modules and devices.   Ref: Documentation/admin-guide/tainted-kernels.rst"""
