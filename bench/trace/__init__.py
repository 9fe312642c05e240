"""Kernel traces: raw ring-buffer pages or a trace.dat as typed arrays."""
from bench import paths as paths  # makes drivers and fixtures importable
from bench.trace.recording import Recording
from bench.trace.ring_buffer import Gap
from bench.trace.trace import Trace

__all__ = ["Gap", "Recording", "Trace"]
