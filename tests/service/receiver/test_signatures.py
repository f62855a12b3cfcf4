import pytest

from rca.service.configuration import Hook
from rca.service.receiver.signatures import Unsigned, verified

HOW = {"secrets": ["secret"], "now": 1_000.0, "window": 300.0}


def test_pagerdutys_signature_is_that_of_another_implementation():
    """By OpenSSL: printf '{}' | openssl dgst -sha256 -hmac secret."""
    sign = "v1=77325902caca812dc259733aacd046b73817372c777b8d95b402647474516e13"
    assert verified(Hook(name="a", vendor="pagerduty"), {"x-pagerduty-signature": sign}, b"{}", **HOW)
    with pytest.raises(Unsigned):
        verified(Hook(name="a", vendor="pagerduty"), {"x-pagerduty-signature": sign}, b"[]", **HOW)


def test_svix_own_example_is_taken():
    """The example of Svix' documentation of how to verify by hand."""
    headers = {
        "svix-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "svix-timestamp": "1614265330",
        "svix-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    how = {"secrets": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], "now": 1_614_265_330.0, "window": 300.0}
    stamp = verified(Hook(name="a", vendor="incident_io"), headers, b'{"test": 2432232314}', **how)
    assert stamp.delivery == "msg_p5jXN8AQM9LWM0D4loKWxJek"
    with pytest.raises(Unsigned):
        verified(Hook(name="a", vendor="incident_io"), headers, b'{"test": 2432232315}', **how)


@pytest.mark.parametrize("stamp", ["", "-1", "1e3", "١٠٠٠", "9" * 30, "1000.0", " 1000"])
def test_a_time_that_is_none_is_refused(stamp):
    headers = {"webhook-id": "a", "webhook-timestamp": stamp, "webhook-signature": "v1,AAAA"}
    with pytest.raises(Unsigned):
        verified(Hook(name="a", vendor="incident_io"), headers, b"{}", **HOW)


def test_either_of_two_secrets_fits_while_one_is_being_changed():
    hook = Hook(name="a", vendor="alertmanager")
    for said in ("old", "new"):
        assert verified(hook, {"authorization": f"Bearer {said}"}, b"", **{**HOW, "secrets": ["old", "new"]})
    with pytest.raises(Unsigned):
        verified(hook, {"authorization": "Bearer older"}, b"", **{**HOW, "secrets": ["old", "new"]})
