"""Makes the packages drivers and fixtures, the bench's own and those here, importable in a plain pytest run."""
from bench import paths

paths.extend()
