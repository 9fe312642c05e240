"""The life of any device that has a driver: bound, unbound, reloaded, asleep, in use; found from sysfs.
Ref: Documentation/driver-api/driver-model/, Documentation/ABI/testing/sysfs-bus-*"""

NEEDS_DEVICE = False  # it finds its devices itself
