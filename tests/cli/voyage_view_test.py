"""The live view of `caravel voyage` behind a pseudo terminal, with a scripted endpoint: what it draws, and that the
terminal is as it was at every end.

Run by ctest with CARAVEL set to the binary; by hand: CARAVEL=build/release/caravel python3 tests/cli/voyage_view_test.py
"""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import tempfile
import termios
import time
import unittest
from pathlib import Path

CARAVEL = os.path.abspath(os.environ.get("CARAVEL", "build/release/caravel"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "voyager"))

from scripted_llm import Scripted  # noqa: E402

ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"
FRAME = re.compile(rb"\x1b\[H(.*?)\x1b\[J", re.DOTALL)


class Terminal:
    """A voyage in a terminal, and all that it has shown."""

    def __init__(self, test, server, *flags, size=(100, 30), **environment):
        self.folder = tempfile.TemporaryDirectory()
        test.addCleanup(self.folder.cleanup)
        self.out = Path(self.folder.name) / "run"
        self.pid, self.file = pty.fork()
        if self.pid == 0:
            keep = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLORTERM")}
            os.execve(CARAVEL, [CARAVEL, "voyage", "--llm", server.url, "--llm-model", "scripted", "--embedder", "endpoint",
                                "--out", str(self.out), *flags],
                      {**keep, "TERM": "xterm-256color", "COLORTERM": "truecolor", **environment})
        self.resize(*size)
        self.seen = b""
        self.status = None
        test.addCleanup(self.close)

    def resize(self, columns, rows):
        fcntl.ioctl(self.file, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, until, limit=60):
        """Until it is so, or the end."""
        end = time.monotonic() + limit
        while not until() and self.status is None:
            assert time.monotonic() < end, self.seen[-2000:]
            if not select.select([self.file], [], [], 0.05)[0]:
                continue
            try:
                self.seen += os.read(self.file, 1 << 16)
            except OSError:
                self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def frames(self):
        return [frame.split(b"\r\n") for frame in FRAME.findall(self.seen)]

    def end(self):
        self.read(lambda: False)
        return self.status

    def close(self):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.file)


class View(unittest.TestCase):
    def serve(self, **how):
        server = Scripted(**{"faults": {}, "mistakes": False, **how})
        server.__enter__()
        self.addCleanup(server.__exit__)
        return server

    def check_left(self, terminal):
        """One screen was entered, and left for good; what follows stands on the old one, and the cursor is there."""
        self.assertEqual(1, terminal.seen.count(ENTER))
        before, after = terminal.seen.split(LEAVE)
        self.assertIn(b"\x1b[?25h", before[-30:])
        self.assertIn(b"\x1b[?7h", before[-30:])
        self.assertNotIn(b"\x1b[H", after)
        return after.decode()

    def test_a_whole_run(self):
        terminal = Terminal(self, self.serve(), "--iterations", "3")
        self.assertEqual(0, terminal.end())
        after = self.check_left(terminal)
        self.assertIn("report.html: open it in a browser", after)
        frames = terminal.frames()
        self.assertGreater(len(frames), 1)
        self.assertEqual({30}, {len(frame) for frame in frames})
        shown = b"\n".join(frames[-1]).decode()
        for part in ("task 3 of 3", "for the first time", "tokens in", "health 20", "critic: done"):
            self.assertIn(part, shown)
        self.assertIn("\x1b[38;2;", shown)

    def test_without_colours_the_map_has_letters(self):
        terminal = Terminal(self, self.serve(), "--iterations", "1", NO_COLOR="1")
        self.assertEqual(0, terminal.end())
        self.check_left(terminal)
        self.assertNotIn(b"\x1b[38;", terminal.seen)
        self.assertRegex(b"\n".join(terminal.frames()[-1]), rb'["~#.]{5}')

    def test_it_fits_a_terminal_that_changes(self):
        terminal = Terminal(self, self.serve(), "--iterations", "200")
        terminal.read(lambda: len(terminal.frames()) > 5)
        terminal.resize(60, 12)
        drawn = len(terminal.frames())
        terminal.read(lambda: len(terminal.frames()) > drawn + 10)
        self.assertEqual(12, len(terminal.frames()[-1]))
        os.kill(terminal.pid, signal.SIGINT)
        self.assertEqual(130, terminal.end())

    def test_a_terminal_that_takes_nothing_holds_nothing_up(self):
        began = time.monotonic()
        server = self.serve()
        terminal = Terminal(self, server, "--iterations", "20", size=(1000, 1000))
        while server.counts["role action"] < 20:
            self.assertLess(time.monotonic() - began, 120)
            time.sleep(0.05)
        while not (terminal.out / "report.html").exists():
            self.assertLess(time.monotonic() - began, 120, "nor the files of its end")
            time.sleep(0.05)
        self.assertEqual(0, terminal.end())
        frames = terminal.frames()
        self.assertLess(len(frames), 5)
        self.assertEqual(60, len(frames[-1]))
        self.assertIn("task 20 of 20", b"\n".join(frames[-1]).decode())
        self.check_left(terminal)

    def test_ctrl_c_leaves_the_terminal_as_it_was(self):
        for sign in (None, signal.SIGTERM, signal.SIGHUP):
            terminal = Terminal(self, self.serve(), "--iterations", "200")
            terminal.read(lambda: len(terminal.frames()) > 5)
            mode = termios.tcgetattr(terminal.file)[3]
            self.assertFalse(mode & termios.ECHO)
            if sign is None:
                os.write(terminal.file, b"\x03")
            else:
                os.kill(terminal.pid, sign)
                os.kill(terminal.pid, sign)  # as timeout(1) does: its group, too
            self.assertEqual(130, terminal.end(), sign)
            self.assertIn("--resume goes on", self.check_left(terminal).replace("\r\n", " "))
            self.assertTrue((terminal.out / "report.html").exists())

    def test_a_model_that_takes_its_time_is_seen_to(self):
        terminal = Terminal(self, self.serve(script=lambda role, seen: time.sleep(4)), "--iterations", "200")
        clocks = lambda: {clock for frame in terminal.frames() for clock in re.findall(rb"\d:\d\d:\d\d", frame[0])}  # noqa: E731
        terminal.read(lambda: len(clocks()) > 2)
        shown = b"\n".join(terminal.frames()[-1]).decode()
        self.assertIn("health 20", shown, "the player is seen before the first answer")
        os.write(terminal.file, b"\x03")
        self.assertEqual(130, terminal.end())
        self.assertIn(b"ends with what is under way; ctrl-C again ends at once", terminal.frames()[-1][-1])

    def test_a_second_signal_says_what_is_kept(self):
        for flags in ([], ["--plain"]):
            for _ in range(8):  # it may have ended by the first one
                terminal = Terminal(self, self.serve(), "--iterations", "200", *flags)
                terminal.read(lambda: b"round 1" in terminal.seen)
                # Stopped, it gets both at once when it goes on, the last first.
                for sign in (signal.SIGSTOP, signal.SIGINT, signal.SIGTERM, signal.SIGCONT):
                    os.kill(terminal.pid, sign)
                self.assertEqual(130, terminal.end())
                told = terminal.seen.decode() if flags else self.check_left(terminal)
                self.assertTrue(termios.tcgetattr(terminal.file)[3] & termios.ECHO)
                if "ended at once" in told:
                    break
            self.assertIn(f"ended at once; what was done is kept: caravel voyage --out {terminal.out} --resume goes on, if the run had begun", told)

    def test_a_run_that_fails_says_so_on_the_old_screen(self):
        terminal = Terminal(self, self.serve(faults={"500": 1}), "--llm-retries", "0")
        self.assertEqual(1, terminal.end())
        self.assertIn("something broke", self.check_left(terminal))

    def test_plain_lines_draw_nothing(self):
        terminal = Terminal(self, self.serve(), "--iterations", "1", "--plain")
        self.assertEqual(0, terminal.end())
        self.assertNotIn(b"\x1b", terminal.seen)
        self.assertIn(b"[1/1] Mine 1 wood log", terminal.seen)


if __name__ == "__main__":
    unittest.main()
