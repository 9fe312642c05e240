"""Driver coverage on the page: a bar a module, the functions that no check reached, and those nobody knows about."""
import dataclasses

import pytest

from bench.store import Covered


@pytest.fixture
def covered(recorded, sample, others):
    """Write a record whose first check covered dm9000; `more` is what the second one saw of it."""
    def write(*more):
        run = dataclasses.replace(sample.run, covers={"dm9000": "dm9000", "serial": ""})
        functions = ("dm9000_open", "dm9000_start_xmit", "dm9000_timeout")
        first = dataclasses.replace(others[0], covered=(Covered("dm9000", functions[:2], functions),))
        return recorded(first, dataclasses.replace(others[1], covered=more), run=run)
    return write


def test_coverage_has_a_bar_a_module_and_names_what_no_check_reached(opened, covered, others):
    page = opened(covered())
    assert page.seen == []
    section = page.locator("#coverage")
    row = section.locator("tr").nth(1)
    assert row.inner_text().split() == ["dm9000", "dm9000", "2", "of", "3", "67", "%", "1"]
    fill, ground = (row.locator(f"rect.{name}").bounding_box()["width"] for name in ("fill", "ground"))
    assert fill / ground == pytest.approx(2 / 3, abs=0.01)
    never, entered = section.locator("details").nth(0), section.locator("details").nth(1)
    assert never.locator("code").all_inner_texts() == ["dm9000_timeout"]
    assert never.locator("code").first.is_visible() and not entered.locator("code").first.is_visible()
    entered.locator("summary").click()
    assert entered.locator("li").first.inner_text() == f"dm9000_open {others[0].sentence}"
    assert "serial: built in or not loaded" in section.locator(".lost").inner_text()


def test_functions_of_which_nobody_knows_are_unknown_on_the_page(opened, covered):
    page = opened(covered(Covered("dm9000", lost=7)))
    section = page.locator("#coverage")
    assert section.locator("td.number .lost").inner_text() == "unknown"
    assert section.locator("summary").first.inner_text() == "unknown: 7 entries were lost"
    assert "never reached by a check" not in section.inner_text()


def test_a_run_without_coverage_has_no_such_section(opened, sample):
    assert opened(sample).locator("#coverage").count() == 0
