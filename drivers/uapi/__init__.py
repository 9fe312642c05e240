"""Kernel interfaces as programs see them, one module for each, named as the kernel names it."""
