"""Exercise the driver model on any device with a driver: unbind, reload, runtime
PM, in use; found in sysfs.

Ref: Documentation/driver-api/driver-model/, Documentation/ABI/testing/sysfs-bus-*
"""

NEEDS_DEVICE = False  # it finds its devices itself
