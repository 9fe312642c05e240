"""Every register read of a probe fails once: refused or bound, never half of both."""
from __future__ import annotations

import pytest


@pytest.mark.sweep
@pytest.mark.expects(splat="dm9000|wrong id|not found|did not respond")
@pytest.mark.fault("dm9000:wrong_chip_id")
def test_probe_survives_a_failure_of_every_register_read(sweep, net, dm9000, kernel, cable):
    device = net.identity().value["device"]

    def unbound():
        assert kernel.unbind(driver="dm9000", device=device).errno in (0, 19)

    def bind():
        answer = kernel.bind(driver="dm9000", device=device)
        return answer if answer.errno else net.identity()  # its address, above all

    try:
        sweep_result = sweep("dm9000.window:read_fails", bind, before=unbound)
        assert len(sweep_result.fired) > 5, sweep_result.ended
        # A byte of the address that is read wrong cannot be known to be: the rows say
        # so, and it is no failure.
        assert (sweep_result.lasting, sweep_result.unwell) == ([], [])
    finally:
        unbound()
        _ = kernel.bind(driver="dm9000", device=device).value
