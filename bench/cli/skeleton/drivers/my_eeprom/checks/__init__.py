"""Checks of the exerciser my_eeprom; they run on the host."""
