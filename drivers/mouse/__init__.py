"""Exercise a mouse: what programs read of it (evdev, hidraw), what crosses the bus (usbmon), by
either driver.
"""
