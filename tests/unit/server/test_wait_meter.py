"""Times that count as a wait, and connections that are worth a thread of their own."""

from __future__ import annotations

from time import sleep, thread_time

from miniexpress.server.wait_meter import WaitMeter


def work(seconds: float) -> None:
    """Use the processor for ``seconds``, however long that takes."""
    until = thread_time() + seconds
    while thread_time() < until:
        pass


def measured(*requests: tuple[float, float]) -> bool:
    """Return whether a connection is worth a thread after requests with these seconds of work, and of waiting."""
    meter = WaitMeter()
    for working, waiting in requests:
        meter.start()
        work(working)
        sleep(waiting)
        meter.stop()
    return meter.is_worth_a_thread


def test_requests_that_wait_are_worth_a_thread() -> None:
    assert measured((0, 0.001))
    assert measured(*[(0, 0.0002)] * 10)


def test_one_wait_among_requests_that_do_not_wait_is_forgotten() -> None:
    meter = WaitMeter()
    meter.count(0.001)
    assert meter.is_worth_a_thread
    for _ in range(30):
        meter.count(0)
    assert not meter.is_worth_a_thread


def test_every_second_request_that_waits_is_worth_a_thread() -> None:
    meter = WaitMeter()
    for _ in range(20):
        meter.count(0)
        meter.count(0.0003)
    meter.count(0)
    assert meter.is_worth_a_thread


def test_a_short_request_is_never_worth_a_thread() -> None:
    meter = WaitMeter()
    for _ in range(100):
        meter.start()
        meter.stop()
    assert not meter.is_worth_a_thread


def test_work_is_not_a_wait() -> None:
    # A busy machine may take the processor away meanwhile, which is one; but not each time.
    assert not all(measured((0.0005, 0)) for _ in range(50))
