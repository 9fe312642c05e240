"""Exercise a real-time clock through /dev/rtcN and sysfs.

Ref: Documentation/admin-guide/rtc.rst
"""
