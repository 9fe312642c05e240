"""Captures of other recorders beside the trace: usbmon on the target, a logic analyser on the wire."""
from bench import paths as paths  # makes drivers and fixtures importable
