"""Exercise any network interface.

Ref: Documentation/networking/{netdevices,statistics,checksum-offloads}.rst
"""
