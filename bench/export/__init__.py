"""Traces written for other tools: Perfetto, CSV, Parquet."""
