"""What checks of several exercisers share, on the host: contracts of a subsystem,
endpoints of a cable, replugging.
"""
