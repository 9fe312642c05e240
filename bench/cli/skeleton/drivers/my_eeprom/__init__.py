"""Exercise a serial EEPROM through its file in sysfs.   Ref: Documentation/devicetree/bindings/eeprom/at24.yaml"""
