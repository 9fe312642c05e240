"""Contracts judged on traces: three-valued verdicts with the events that show them."""
from bench import paths as paths  # makes drivers and fixtures importable
