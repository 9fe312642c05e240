"""Every register read of a probe fails once: refused or bound, never half of both."""
from __future__ import annotations

import pytest


@pytest.mark.sweep
@pytest.mark.expects(splat="dm9000|wrong id|not found|did not respond")
@pytest.mark.fault("dm9000:wrong_chip_id")
def test_every_register_read_of_a_probe_that_fails_is_survived(sweep, net, dm9000, kernel, cable):
    device = net.identity().value["device"]

    def unbound():
        assert kernel.unbind(driver="dm9000", device=device).errno in (0, 19)

    try:
        found = sweep("dm9000.window:read_fails", lambda: kernel.bind(driver="dm9000", device=device), before=unbound)
        assert len(found.struck) > 5, found.ended
        assert (found.lasting, found.unwell) == ([], [])
    finally:
        unbound()
        _ = kernel.bind(driver="dm9000", device=device).value
