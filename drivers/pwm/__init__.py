"""Exercise PWM channels through /sys/class/pwm.   Ref: Documentation/driver-api/pwm.rst"""
