"""Measure what idle connections cost: ``python tests/benchmarks/idle.py [CONNECTIONS]`` (2,000), with wrk from Debian.

64 busy connections are measured without and beside the idle ones, which are kept alive, in turn. Then all idle ones
disconnect at once beside the busy ones, while another client asks again and again. It prints medians of the rounds: the
throughputs, the change between two that follow each other, the memory of an idle connection, and the other client's
longest wait.
"""

from __future__ import annotations

import os
import platform
import re
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter, sleep

ROOT = Path(__file__).resolve().parent.parent.parent
ROUNDS, SECONDS, BUSY = 9, 2, 64
BURSTS, BURST_SECONDS = 3, 5
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
SERVER = """
import sys
from miniexpress import express

app = express()
app.get("/", lambda req, res: res.send("Hello World"))
app.listen(sys.argv[1], keep_alive_timeout=3_600_000, callback=lambda: print("ready", flush=True))
"""


def main(count: int) -> None:
    files = count + 200
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, max(files, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
    print(f"Python {platform.python_version()}, {os.cpu_count()} processors, medians of the rounds")
    with serving() as (pid, port):
        report_costs(pid, port, count)
    with serving() as (pid, port):
        wait = median(longest_wait(pid, port, count) for _ in range(BURSTS))
    print(f"another's longest wait as all leave: {wait:6.2f} s", flush=True)


@contextmanager
def serving() -> Iterator[tuple[int, int]]:
    """Run the server. The value is its process id and its port."""
    port = free_port()
    command = [sys.executable, "-c", SERVER, str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout is not None and server.stdout.readline() == b"ready\n"
            yield server.pid, port
        finally:
            server.kill()


def report_costs(pid: int, port: int, count: int) -> None:
    throughput(port)  # warm-up
    without, beside, memory = [], [], []
    for _ in range(ROUNDS):
        without.append(throughput(port))
        before = resident(pid)
        with ExitStack() as connections:
            for _ in range(count):
                connections.enter_context(idle_connection(port))
            memory.append((resident(pid) - before) / count)
            beside.append(throughput(port))
        wait_for_threads(pid)
    change = median(after / before - 1 for before, after in zip(without, beside, strict=True))
    print(f"{BUSY} busy connections:            {median(without):8,.0f} requests a second")
    print(f"beside {count:,} idle ones:         {median(beside):8,.0f} requests a second, {change:+.1%}")
    print(f"memory of an idle connection:  {median(memory) / 1024:8.1f} KiB", flush=True)


def longest_wait(pid: int, port: int, count: int) -> float:
    """Return the longest wait in seconds of another client when all idle connections close beside the busy ones."""
    waits = []
    with idle_connection(port) as other, ExitStack() as connections:
        for _ in range(count):
            connections.enter_context(idle_connection(port))
        with subprocess.Popen(busy(port, 2 + BURST_SECONDS), stdout=subprocess.DEVNULL):
            sleep(2)
            connections.close()
            begun = perf_counter()
            while perf_counter() < begun + BURST_SECONDS:
                asked = perf_counter()
                ask(other)
                waits.append(perf_counter() - asked)
    wait_for_threads(pid)
    return max(waits)


def wait_for_threads(pid: int) -> None:
    while len(os.listdir(f"/proc/{pid}/task")) > BUSY:
        sleep(0.1)


def busy(port: int, seconds: int) -> list[str]:
    return ["wrk", "-t1", f"-c{BUSY}", f"-d{seconds}s", f"http://127.0.0.1:{port}/"]


def throughput(port: int) -> float:
    """Return the requests a second of the busy connections."""
    output = subprocess.run(busy(port, SECONDS), check=True, capture_output=True, text=True).stdout
    return float(re.search(r"Requests/sec: +([0-9.]+)", output)[1])  # type: ignore[index]


def idle_connection(port: int) -> socket.socket:
    """Return a connection that has had one response and waits."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    ask(connection)
    return connection


def ask(connection: socket.socket) -> None:
    connection.sendall(REQUEST)
    assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


def resident(pid: int) -> int:
    """Return the bytes of memory that a process holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 2000)
