"""Exercisers of this repository; the bench adds them to its own package `drivers`."""
