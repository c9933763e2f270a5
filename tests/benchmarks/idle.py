"""What idle connections cost: `python tests/benchmarks/idle.py [CONNECTIONS]` (2,000), with wrk from Debian.

64 busy connections are measured without and beside the idle ones, which are kept alive, in turn; then all idle ones
leave at once. It prints medians of the rounds: the throughputs, the change between two that follow each other, the
memory of an idle connection, and how long another client waits for an answer when they have just left.
"""

from __future__ import annotations

import os
import platform
import re
import resource
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from time import perf_counter, sleep

ROOT = Path(__file__).resolve().parent.parent.parent
ROUNDS, SECONDS, BUSY = 9, 2, 64
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
SERVER = """
import sys
from miniexpress import express

app = express()
app.get("/", lambda req, res: res.send("Hello World"))
app.listen(sys.argv[1], keep_alive_timeout=3_600_000, callback=lambda: print("ready", flush=True))
"""


def main(count: int) -> None:
    files = count + 100
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, max(files, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
    port = free_port()
    command = [sys.executable, "-c", SERVER, str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout is not None and server.stdout.readline() == b"ready\n"
            report(server.pid, port, count)
        finally:
            server.terminate()


def report(pid: int, port: int, count: int) -> None:
    throughput(port)  # warm-up
    without, beside, memory, waits = [], [], [], []
    for _ in range(ROUNDS):
        without.append(throughput(port))
        before = resident(pid)
        with idle_connection(port) as other, ExitStack() as connections:
            for _ in range(count):
                connections.enter_context(idle_connection(port))
            memory.append((resident(pid) - before) / count)
            beside.append(throughput(port))
            connections.close()
            asked = perf_counter()
            ask(other)
            waits.append(perf_counter() - asked)
        while threads(pid) > BUSY:
            sleep(0.1)
    change = median(after / before - 1 for before, after in zip(without, beside, strict=True))
    print(f"Python {platform.python_version()}, {os.cpu_count()} processors, medians of {ROUNDS} rounds")
    print(f"{BUSY} busy connections:            {median(without):8,.0f} requests a second")
    print(f"beside {count:,} idle ones:         {median(beside):8,.0f} requests a second, {change:+.1%}")
    print(f"memory of an idle connection:  {median(memory) / 1024:8.1f} KiB")
    print(f"another's wait as they leave:  {median(waits):8.2f} s")


def throughput(port: int) -> float:
    """Requests a second."""
    command = ["wrk", "-t1", f"-c{BUSY}", f"-d{SECONDS}s", f"http://127.0.0.1:{port}/"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return float(re.search(r"Requests/sec: +([0-9.]+)", output)[1])  # type: ignore[index]


def idle_connection(port: int) -> socket.socket:
    """A connection that has had one answer and waits."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    ask(connection)
    return connection


def ask(connection: socket.socket) -> None:
    connection.sendall(REQUEST)
    assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


def resident(pid: int) -> int:
    """The bytes of memory that a process holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def threads(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/task"))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 2000)
