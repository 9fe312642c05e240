"""trace.dat files: versions 6 and 7 read, version 6 written."""
