"""What the server's load scripts share: a `caravel serve` of their own on a free port of the loopback address, what
/proc and /metrics say of it, and an HTTP client that can also be rude (standard library alone)."""

import asyncio
import contextlib
import json
import os
import pathlib
import random
import re
import resource
import signal
import socket
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
CARAVEL = pathlib.Path(os.environ.get("CARAVEL") or ROOT / "build/release/caravel")
HOST = "127.0.0.1"


def raise_descriptor_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Server:
    """A started server; `log` is what it wrote to stderr. in_child: called in its process before it begins."""

    def __init__(self, *flags, model=None, timeout=60, in_child=None):
        self.log = tempfile.NamedTemporaryFile("w+", prefix="caravel-serve-", suffix=".log")
        command = [str(CARAVEL), "serve", *([str(model)] if model else []), "--host", HOST, "--port", "0",
                   *map(str, flags)]
        start = time.monotonic()
        self.process = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT, preexec_fn=in_child)
        self.pid = self.process.pid
        self.port = None
        while True:
            if self.port is None and (found := re.search(r"http://127\.0\.0\.1:(\d+)", self.text())):
                self.port = int(found[1])
            if self.port and self.healthy():
                break
            if self.process.poll() is not None or time.monotonic() > start + timeout:
                self.process.kill()
                raise RuntimeError(f"{' '.join(command)} did not start:\n{self.text()}")
            time.sleep(0.005)
        self.ready_seconds = time.monotonic() - start

    def text(self):
        return pathlib.Path(self.log.name).read_text()

    def healthy(self):
        with contextlib.suppress(OSError), socket.create_connection((HOST, self.port), timeout=1) as link:
            link.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return link.recv(64).startswith(b"HTTP/1.1 200")
        return False

    def memory_mib(self, field="VmRSS"):
        with open(f"/proc/{self.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith(field)) / 1024

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def processor_seconds(self):
        with open(f"/proc/{self.pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self, timeout=60):
        """Its exit code after SIGTERM."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return "killed: it did not drain in time"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.log.close()


def request_bytes(path, body, method="POST", headers=""):
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    head = f"{method} {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n{headers}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Answer:
    """One response, as it is read: status, headers, then its body's pieces."""

    def __init__(self, reader):
        self.reader = reader

    async def head(self):
        line = await self.reader.readline()
        if not line:
            raise ConnectionError("closed before an answer")
        self.status = int(line.split()[1])
        self.headers = {}
        while (line := await self.reader.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            self.headers[name.strip().lower()] = value.strip()
        return self

    async def pieces(self):
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            while size := int((await self.reader.readline() or b"x").split(b";")[0], 16):
                yield await self.reader.readexactly(size)
                await self.reader.readexactly(2)
            await self.reader.readline()
        elif length := int(self.headers.get("content-length", 0)):
            yield await self.reader.readexactly(length)

    async def body(self):
        return b"".join([piece async for piece in self.pieces()])

    async def events(self):
        """The data of each server-sent event."""
        rest = b""
        async for piece in self.pieces():
            *events, rest = (rest + piece).split(b"\n\n")
            for event in events:
                if event.startswith(b"data: "):
                    yield event[6:]


async def connect(port, receive_buffer=None):
    link = socket.socket()
    link.setblocking(False)
    if receive_buffer:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    await asyncio.get_running_loop().sock_connect(link, (HOST, port))
    # The reader's own buffer is small too where the socket's is, or it would read ahead of a slow reader.
    return await asyncio.open_connection(sock=link, limit=receive_buffer or 1 << 20)


async def ask(port, path, body=b"", method="POST", link=None):
    """Status and body of one request; keeps `link` open where it is given."""
    reader, writer = link or await connect(port)
    try:
        writer.write(request_bytes(path, body, method))
        answer = await Answer(reader).head()
        return answer.status, await answer.body()
    finally:
        if link is None:
            writer.close()


async def metrics(port):
    """Samples of /metrics without labels' names: {family: sum over its labels}."""
    status, text = await ask(port, "/metrics", method="GET")
    if status != 200:
        raise RuntimeError(f"/metrics gave {status}")
    sums = {}
    for line in text.decode().splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            family = name.partition("{")[0]
            sums[family] = sums.get(family, 0) + float(value)
    return sums


async def settled(check, seconds=10):
    """Whether `check` (a coroutine function) comes true within that time."""
    deadline = time.monotonic() + seconds
    while not await check():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.1)
    return True


async def drive(server, clients, end, one, patience, pause):
    """Clients that call `one(rng)`, one request after the other, until time.monotonic() is `end`. It gives (whether it
    went as it should, its kind, the status, the body). pause: seconds after a 429. Gives (kind -> status -> how many,
    what went wrong)."""
    counts, wrong = {}, []

    async def client(seed):
        rng = random.Random(seed)
        while time.monotonic() < end and server.process.poll() is None:
            try:
                right, kind, status, body = await asyncio.wait_for(one(rng), patience)
            except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError, ValueError) as error:
                wrong.append(repr(error))
                continue
            counts.setdefault(kind, {}).setdefault(str(status), 0)
            counts[kind][str(status)] += 1
            if not right:
                wrong.append((kind, status, body[:300]))
            if status == 429:
                await asyncio.sleep(pause)

    await asyncio.gather(*(client(seed) for seed in range(clients)))
    return counts, wrong


def percentiles(values):
    """{p50, p90, p99} of seconds, in milliseconds."""
    if not values:
        return {}
    if len(values) == 1:
        values = values * 2
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return {name: round(1000 * cuts[at], 1) for name, at in (("p50", 49), ("p90", 89), ("p99", 98))}
