"""Checks of the exerciser memory; they run on the host."""
