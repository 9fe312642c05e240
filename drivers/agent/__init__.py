"""The program on the target: it runs the exercisers' calls and records
the kernel's trace of each.
"""

NEEDS_DEVICE = False  # every target has it
