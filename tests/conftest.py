"""What all tests share: property tests are judged by what they find, not by how quick the machine is."""
from hypothesis import HealthCheck, settings

# A machine that runs twins beside the tests is slow at times, the first draw of text above all.
settings.register_profile("bench", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("bench")
