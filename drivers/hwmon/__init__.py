"""Exercise a temperature sensor through hwmon in sysfs.

Ref: Documentation/hwmon/sysfs-interface.rst
"""
