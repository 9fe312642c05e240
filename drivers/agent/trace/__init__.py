"""Kernel tracing of one call: what is enabled, its binary pages, the symbols
that its addresses need.
"""
