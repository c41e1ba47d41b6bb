"""Back-pressure: few requests of a municipality at once, a limited number of all, the rest come again at spread
times.
"""

import asyncio

import pytest

from vigla_console.ingest.routes import Refusal, Turnstile
from vigla_console.tenants.models import TenantId

A, B, C = TenantId("a1"), TenantId("b1"), TenantId("c1")


def test_each_has_its_share_and_all_have_a_limit() -> None:
    async def crowd() -> None:
        turnstile = Turnstile(3)
        async with turnstile.turn(A), turnstile.turn(A):
            with pytest.raises(Refusal):
                await turnstile.turn(A).__aenter__()
            async with turnstile.turn(B):
                with pytest.raises(Refusal) as full:
                    await turnstile.turn(C).__aenter__()
                assert full.value.status == 429
                assert full.value.retry_after is not None
                assert 5 <= full.value.retry_after <= 60
        assert turnstile.inside == {}, "nothing is kept of who has left"
        async with turnstile.turn(A):
            pass

    asyncio.run(crowd())


def test_the_times_are_spread() -> None:
    async def once() -> int:
        try:
            async with Turnstile(0).turn(A):
                return 0
        except Refusal as refusal:
            return refusal.retry_after or 0

    assert len({asyncio.run(once()) for _ in range(40)}) > 5
