"""The sample record, for the tests of this folder."""
from tests.report.sample_record import chromium, failing, hostile, opened, others, recorded, sample

__all__ = ["chromium", "failing", "hostile", "opened", "others", "recorded", "sample"]
