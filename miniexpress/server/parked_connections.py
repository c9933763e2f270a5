"""The connections that wait for their next request, without a thread each: the Leader/Followers pattern.

One thread, the leader, waits until some of them can be read (``selectors``), and serves them itself, one after the
other. That spares a crowd of clients the switches between threads, which would cost more than their requests do. But
none may keep the others waiting. When a turn goes on for longer than ``TURN_SECONDS``, or has to wait for its client,
the leader is deposed: another thread leads on, and the first one goes on with that connection alone.

The pattern is in Pattern-Oriented Software Architecture, volume 2 (Schmidt and others, 2000).
"""

from __future__ import annotations

import select
import selectors
from collections.abc import Callable
from functools import partial
from threading import Lock
from time import monotonic, sleep
from typing import Protocol

from .client_socket import ClientSocket, do_nothing
from .wait_meter import WaitMeter

TURN_SECONDS = 0.005  # between two checks whether the same turn goes on
QUIET_CHECKS = 200  # one after the other without a turn, after which the thread that checks ends
SELECT_SECONDS = 3600.0  # at most in one call of select(), which takes no more than 24 days

# Others, such as the select() of Windows, take no connection while they wait. There, each keeps its thread.
CAN_PARK = hasattr(select, "epoll") or hasattr(select, "kqueue")


class ParkedConnection(Protocol):
    """The part of a ``connection.Connection`` that is needed here."""

    client: ClientSocket
    wait_meter: WaitMeter
    keep_alive: bool
    is_parked: bool
    idle_until: float

    def serve(self) -> None: ...

    def serve_requests(self) -> None: ...

    def needs_thread(self) -> bool: ...

    def close(self, linger_seconds: float) -> None: ...


class ParkedConnections:
    """The parked connections of a server.

    ``start_thread`` calls a function in a new thread, and returns whether there could be one.
    """

    def __init__(self, start_thread: Callable[[Callable[[], None]], bool]) -> None:
        self._start_thread = start_thread
        self._selector = selectors.DefaultSelector()
        self._lock = Lock()  # for what follows
        self._deadlines: dict[ParkedConnection, float] = {}  # the ``idle_until`` of each, the earliest first
        self._served: ParkedConnection | None = None  # whose turn it is
        self._turns = 0
        self._has_leader = False
        self._has_watcher = False

    def park(self, connection: ParkedConnection) -> None:
        """Serve the connection whenever it has sent something; close it at its ``idle_until``."""
        with self._lock:
            self._has_leader = self._has_leader or self._start_thread(self._lead)
            is_parked = self._has_leader and self._try_to_park(connection)
        if not is_parked:
            connection.close(linger_seconds=0)

    def _try_to_park(self, connection: ParkedConnection) -> bool:
        """Park a connection. Return False where the system watches no more sockets."""
        try:
            self._selector.register(connection.client, selectors.EVENT_READ, connection)
        except OSError:
            return False
        self._deadlines[connection] = connection.idle_until
        connection.is_parked = True
        connection.client.before_waiting = partial(self._end_turn_early, connection)
        return True

    def _unpark(self, connection: ParkedConnection) -> None:
        self._selector.unregister(connection.client)
        del self._deadlines[connection]
        connection.is_parked = False
        connection.client.before_waiting = do_nothing

    # --- The leader -------------------------------------------------------------------------------------------------

    def _lead(self) -> None:
        """Give each connection that can be read its turn, while there are any, and this thread is the leader."""
        while (first := self._first_to_expire()) is not None:
            connection, deadline = first
            seconds_left = deadline - monotonic()
            ready = [key.data for key, _ in self._selector.select(min(max(0, seconds_left), SELECT_SECONDS))]
            for each in ready:
                if not self._give_turn(each):
                    return
            if seconds_left <= 0 and connection not in ready:  # what had arrived by now was not too late
                connection.keep_alive = False
                self._hand_over(connection)

    def _first_to_expire(self) -> tuple[ParkedConnection, float] | None:
        """Return the next connection to close, and when. Without one, this thread is the leader no more."""
        with self._lock:
            self._has_leader = bool(self._deadlines)
            return next(iter(self._deadlines.items()), None)

    def _give_turn(self, connection: ParkedConnection) -> bool:
        """Serve what a connection has sent. Return whether this thread is the leader still."""
        if connection.needs_thread() and self._start_serving(connection):
            return True
        if not connection.client.receive_ready():
            self._drop(connection)
            return True
        with self._lock:
            self._served = connection
            self._turns += 1
            if not self._has_watcher:
                self._has_watcher = self._start_thread(self._watch)
        connection.serve_requests()
        with self._lock:
            is_deposed = self._served is not connection
            if not is_deposed:
                self._served = None
                if self._deadlines[connection] != connection.idle_until:  # else what came was not a request yet
                    del self._deadlines[connection]
                    self._deadlines[connection] = connection.idle_until
        if is_deposed:
            connection.serve()  # this thread goes on with that connection alone
        elif not connection.keep_alive:
            self._hand_over(connection)
        return not is_deposed

    def _hand_over(self, connection: ParkedConnection) -> None:
        """Have a connection served, or closed, by a thread of its own. Without one, close it."""
        if not self._start_serving(connection):
            self._drop(connection)

    def _start_serving(self, connection: ParkedConnection) -> bool:
        """Have a thread serve a parked connection. Return False, and leave it parked, where there can be no thread."""
        with self._lock:
            has_thread = self._start_thread(partial(self._serve_unparked, connection))
            if has_thread:
                self._unpark(connection)
        return has_thread

    def _serve_unparked(self, connection: ParkedConnection) -> None:
        with self._lock:
            pass  # by now it is unparked
        connection.serve()

    def _drop(self, connection: ParkedConnection) -> None:
        """Close a connection whose client is gone."""
        with self._lock:
            self._unpark(connection)
        connection.close(linger_seconds=0)

    # --- The end of a turn that takes too long ----------------------------------------------------------------------

    def _watch(self) -> None:
        """End turns that go on for too long, until there are none for a while."""
        seen, quiet_checks = 0, 0
        while quiet_checks < QUIET_CHECKS:
            sleep(TURN_SECONDS)
            with self._lock:
                if self._turns != seen:
                    seen, quiet_checks = self._turns, 0
                elif self._served is not None:
                    self._depose_leader(self._served)  # fails where there can be no other thread: then try again
                else:
                    quiet_checks += 1
                    self._has_watcher = quiet_checks < QUIET_CHECKS

    def _end_turn_early(self, connection: ParkedConnection) -> None:
        """End the turn of a connection that is about to wait for its client."""
        with self._lock:
            if self._served is connection:
                self._depose_leader(connection)

    def _depose_leader(self, connection: ParkedConnection) -> None:
        """Let another thread lead. The leader goes on with ``connection`` alone, which keeps a thread for a while."""
        has_others = len(self._deadlines) > 1
        if has_others and not self._start_thread(self._lead):
            return
        self._has_leader = has_others
        self._served = None
        self._unpark(connection)
        connection.wait_meter.count(TURN_SECONDS)
