"""caravel chat as a person at a terminal meets it: the real binary and the real default model behind a pseudo terminal.

Run by ctest with CARAVEL set to the binary; by hand: CARAVEL=build/release/caravel python3 tests/cli/chat_test.py
"""

import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time
import unittest
from pathlib import Path

CARAVEL = os.path.abspath(os.environ.get("CARAVEL", "build/release/caravel"))
ENGINE = ["--kv-cache-memory", "256MiB"]
MODELS = Path(__file__).resolve().parents[1] / "fixtures" / "models"
PASTE = b"\x1b[200~%s\x1b[201~"
UP, ENTER, CTRL_C, CTRL_D = b"\x1b[A", b"\r", b"\x03", b"\x04"


class Terminal:
    """A chat in a terminal, and all that it has shown."""

    def __init__(self, test, *args, **environment):
        self.test = test
        self.folder = Path(tempfile.mkdtemp())
        test.addCleanup(shutil.rmtree, self.folder)
        self.pid, self.file = pty.fork()
        if self.pid == 0:
            keep = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "VISUAL", "EDITOR")}
            # The cache stays where it is, and nobody's ~/.editrc is read.
            keep.setdefault("XDG_CACHE_HOME", str(Path.home() / ".cache"))
            os.chdir(self.folder)
            os.execve(CARAVEL, [CARAVEL, "chat", "--temperature", "0", *args, *ENGINE],
                      {**keep, "TERM": "xterm", "HOME": str(self.folder), **environment})
        self.status = None
        self.seen = b""
        self.read_to = 0
        test.addCleanup(self.close)
        self.wait_for(r"/help lists the commands\.\r\n.*> ")
        while termios.tcgetattr(self.file)[3] & termios.ICANON:  # it reads keys a moment after it has shown the prompt
            time.sleep(0.01)

    def close(self):
        if not self.has_ended():
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.file)

    def has_ended(self):
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.status = os.waitstatus_to_exitcode(status) if pid != 0 else None
        return self.status is not None

    def read(self, seconds):
        if not select.select([self.file], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.file, 65536)
        except OSError:  # the program has ended
            return False
        self.seen += data
        return bool(data)

    def wait_for(self, pattern, seconds=60):
        """The match behind what was waited for before."""
        deadline = time.monotonic() + seconds
        while True:
            found = re.compile(pattern.encode(), re.S).search(self.seen, self.read_to)
            if found:
                self.read_to = found.end()
                return found.group(0)
            alive = self.read(0.2)
            if not alive or time.monotonic() > deadline:
                self.test.fail(f"{pattern!r} did not come; since the last: {self.seen[self.read_to:]!r}")

    def keys(self, *keys):
        for key in keys:
            os.write(self.file, key if isinstance(key, bytes) else key.encode())

    def line(self, text):
        self.keys(text, ENTER)

    def messages(self, name="saved.json"):
        """What the conversation is, once what was typed before is done."""
        self.line(f"/save {name}")
        self.wait_for(rf"\(\d+ messages? saved in {name}\)")
        return json.loads((self.folder / name).read_text())

    def users(self):
        return [message["content"] for message in self.messages() if message["role"] == "user"]

    def wait_for_end(self, seconds=30):
        """The exit code."""
        deadline = time.monotonic() + seconds
        while self.read(0.1) or not self.has_ended():
            self.test.assertLess(time.monotonic(), deadline, self.seen)
        return self.status


class Messages(unittest.TestCase):
    BLOCK = b"def f(x):\r\n\treturn x\r\n\r\nWhat is \xe4\xb8\x96\xe7\x95\x8c?\r\n"
    TEXT = "def f(x):\n\treturn x\n\nWhat is 世界?"

    def test_a_pasted_block_is_one_message(self):
        chat = Terminal(self, "--max-tokens", "4")
        chat.keys(PASTE % self.BLOCK, ENTER)
        self.assertEqual([self.TEXT], chat.users())
        # Between what is typed, and with what terminals do not send in a paste unless somebody means harm.
        chat.keys("First ", PASTE % b"a\r/exit\rb\x1b[31m\x07", " last", ENTER)
        self.assertEqual("First a\n/exit\nb[31m last", chat.users()[-1])

    def test_a_block_that_comes_in_pieces_and_during_an_answer_is_one_message(self):
        chat = Terminal(self, "--max-tokens", "150", "--ignore-eos")
        chat.line("Tell me a story.")
        chat.wait_for(r"story\..{40}")
        whole = PASTE % self.BLOCK.replace(b"\r\n", b"\r")
        for i in range(0, len(whole), 3):
            chat.keys(whole[i:i + 3])
        chat.wait_for("cut after 150 tokens")
        chat.keys(ENTER)
        chat.wait_for("cut after 150 tokens")
        self.assertEqual(["Tell me a story.", self.TEXT], chat.users())

    def test_a_large_block_is_whole(self):
        chat = Terminal(self, "--max-tokens", "1")
        text = "\n".join(f"line {i}: " + "x" * (i % 60) for i in range(120))
        chat.keys(*[(PASTE % text.replace("\n", "\r").encode())[i:i + 1000] for i in range(0, len(text) + 1000, 1000)])
        chat.keys(ENTER)
        self.assertEqual([text], chat.users())

    def test_history_brings_a_block_back_whole(self):
        chat = Terminal(self, "--max-tokens", "4")
        chat.keys(PASTE % b"one\rtwo", ENTER)
        chat.wait_for("cut after 4 tokens")
        chat.keys(UP, " three", ENTER)
        self.assertEqual(["one\ntwo", "one\ntwo three"], chat.users())

    def test_three_quotes_begin_and_end_a_message(self):
        chat = Terminal(self, "--max-tokens", "4")
        for line in ('"""', "/exit", "", '  second"""', '"""alone"""', '"""begun', 'ended', '"""'):
            chat.line(line)
        self.assertEqual(["/exit\n\n  second", "alone", "begun\nended"], chat.users())
        chat.line('"""given up')
        chat.wait_for(r"\. $")
        chat.keys(CTRL_C)
        chat.wait_for(r"> $")
        self.assertEqual(3, len(chat.users()))

    def test_a_block_that_ctrl_c_ends_is_given_up_aloud(self):
        chat = Terminal(self, "--max-tokens", "4")
        chat.line('"""one')
        chat.wait_for(r"\. ")
        chat.keys(CTRL_C)
        chat.wait_for(r"\(the message is given up\)")
        self.assertEqual([], chat.messages())

    def test_letters_beyond_ascii_are_typed(self):
        chat = Terminal(self, "--max-tokens", "4")
        chat.line("Grüße, 世界! 🚢x\x7f")
        self.assertEqual(["Grüße, 世界! 🚢"], chat.users())

    def test_a_message_may_begin_with_a_slash(self):
        chat = Terminal(self, "--max-tokens", "4")
        for line in ("/etc/hosts is what?", " /reset", "// no"):
            chat.line(line)
        self.assertEqual(["/etc/hosts is what?", "/reset", "// no"], chat.users())

    def test_the_editor_writes_the_message(self):
        chat = Terminal(self, "--max-tokens", "4", VISUAL="sh edit", EDITOR="false")
        (chat.folder / "edit").write_text('read old < "$1"; printf "%s and\\n\\n  more\\n\\n" "$old" > "$1"\n')
        chat.line("/edit begun")
        chat.wait_for("cut after 4 tokens")
        self.assertEqual(["begun and\n\n  more"], chat.users())
        (chat.folder / "edit").write_text(': > "$1"\n')
        chat.line("/edit")
        chat.wait_for("nothing is sent")
        (chat.folder / "edit").write_text("exit 3\n")
        chat.line("/edit")
        chat.wait_for(r"'sh edit' failed \(exit code 3\)")
        self.assertEqual(1, len(chat.users()))


class Commands(unittest.TestCase):
    def test_what_is_no_command_is_named_and_not_sent(self):
        chat = Terminal(self, "--max-tokens", "4")
        chat.line("/sytem You are a pirate.")
        chat.wait_for("no command is called '/sytem'; the nearest is '/system'")
        chat.line("/save")
        chat.wait_for("Give /save FILE")
        self.assertEqual([], chat.messages())

    def test_help_lists_every_command_that_tab_offers(self):
        chat = Terminal(self)
        chat.line("/help")
        listed = chat.wait_for(r"\r\n/help.*/stats.*/exit[^\r]*\r\n").decode()
        chat.wait_for("> ")  # keys that come before it are the terminal's own
        names = re.findall(r"\r\n(/\w+)", listed)
        self.assertLess(max(map(len, listed.splitlines())), 98)
        for name in ("/continue", "/edit", "/reset", "/system", "/set", "/model", "/save", "/load"):
            self.assertIn(name, names)
        chat.keys("/s\t")
        offered = chat.wait_for(r"\r\n/s[^\r]*\r\n").decode().split()
        self.assertEqual(sorted(name for name in names if name.startswith("/s")), sorted(offered))
        chat.keys("ys\t", "Be brief.", ENTER)
        chat.wait_for(r"system prompt: Be brief\.\)")
        chat.keys("/set temp\t", "0.4", ENTER)
        chat.wait_for(r"temperature is 0\.4")

    def test_system_and_reset_confirm(self):
        chat = Terminal(self, "--max-tokens", "4", "--system", "Old.")
        chat.line("Hello")
        chat.line("/reset")
        chat.wait_for(r"\(the conversation begins anew, with its system prompt\)")
        self.assertEqual([{"role": "system", "content": "Old."}], chat.messages())
        chat.keys("/system ", PASTE % b"You are\rtwo lines.", ENTER)
        chat.wait_for(r"begins anew; system prompt: You are\.\.\.\)")
        self.assertEqual("You are\ntwo lines.", chat.messages()[0]["content"])
        chat.line("/system")
        chat.wait_for("without a system prompt")
        chat.line("/reset")
        chat.wait_for(r"\(the conversation begins anew\)")

    def test_parameters_are_set_and_shown(self):
        chat = Terminal(self)
        chat.line("/set max_tokens 3")
        chat.wait_for(r"\(max_tokens is 3\)")
        chat.line("/set")
        shown = chat.wait_for(r"max_tokens +3 +set\r\n.*temperature +0 +set\r\n.*top_p").decode()
        self.assertNotIn("beams", shown)
        chat.line("Hello")
        chat.wait_for("cut after 3 tokens")
        for assignment, problem in (("temprature 1", "the nearest is 'temperature'"), ("top_p 2", "'top_p'"),
                                    ("n 2", "one answer")):
            chat.line(f"/set {assignment}")
            chat.wait_for(f"caravel: [^\r]*{problem}")

    def test_a_conversation_is_saved_and_loaded(self):
        chat = Terminal(self, "--max-tokens", "4")
        chat.line("Hello")
        before = chat.messages("my talk.json")
        self.assertEqual(["user", "assistant"], [message["role"] for message in before])
        chat.line("/reset")
        chat.line("/load ~/my t\t")
        chat.wait_for(r"\(2 messages loaded from ~/my talk\.json; the last is the assistant's\)")
        self.assertEqual(before, chat.messages())
        (chat.folder / "question.json").write_text('[{"role": "user", "content": "Hi"}]')
        chat.line("/load question.json")
        chat.wait_for("/continue answers it")
        chat.line("/continue")
        chat.wait_for("cut after 4 tokens")
        asked = chat.messages()
        (chat.folder / "broken.json").write_text('[{"role":')
        for name, problem in (("none.json", "no such file"), ("broken.json", "JSON"), ("/", "is a directory")):
            chat.line(f"/load {name}")
            chat.wait_for(f"caravel: {name}: [^\r]*{problem}")
        chat.line("/load /dev/zero")
        chat.wait_for("caravel: /dev/zero: has more than 64 MiB")
        chat.line("/save none/a.json")
        chat.wait_for("caravel: none/a.json: cannot write")
        self.assertEqual(asked, chat.messages())

    def test_a_file_that_is_no_conversation_stays(self):
        chat = Terminal(self, "--max-tokens", "4")
        (chat.folder / "person.json").write_text('{"type": "object"}')
        chat.line("Hello")
        chat.line("/save person.json")
        chat.wait_for("person.json: is there and is no saved conversation")
        self.assertEqual('{"type": "object"}', (chat.folder / "person.json").read_text())
        chat.line('/save "a b.json"')
        chat.wait_for("messages saved in a b.json")
        chat.line("/load person.json")
        chat.wait_for("is no conversation, a list such as")
        self.assertTrue((chat.folder / "a b.json").exists())

    def test_an_answer_without_text_goes_on(self):
        chat = Terminal(self, "--max-tokens", "4")
        call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
        for last in ({}, {"content": None, "tool_calls": [call]}, {"content": []}):
            messages = [{"role": "user", "content": "Hello"}, {"role": "assistant", **last}]
            (chat.folder / "talk.json").write_text(json.dumps(messages))
            chat.line("/load talk.json")
            loaded = chat.wait_for(r"loaded from|caravel: [^\r]*\r")
            if b"loaded" not in loaded:
                continue  # refused, which is fine as well
            chat.line("/continue")
            chat.wait_for(r"cut after|nothing to add|caravel: [^\r]*\r")
            chat.messages()

    def test_questions_are_asked_again_and_taken_back(self):
        chat = Terminal(self, "--max-tokens", "4", "--system", "Be brief.")
        chat.line("/retry")
        chat.wait_for("there is no question yet")
        chat.line("/undo")
        chat.wait_for("there is nothing yet to take back")
        chat.line("Hello")
        before = chat.messages()
        chat.line("/RETRY")
        self.assertEqual(before, chat.messages())  # greedy
        chat.line("Again")
        chat.line("/undo")
        chat.wait_for(r"\(the last question is taken back; 3 messages stay\)")
        self.assertEqual(before, chat.messages())
        chat.line("/clear")
        chat.wait_for("begins anew, with its system prompt")

    def test_parameters_that_no_answer_could_have_are_refused_at_once(self):
        chat = Terminal(self, "--max-tokens", "4")
        for assignment, problem in (("stop_token_ids 999999999", "stop_token_ids has token id 999999999; the vocabulary"),
                                    ('logit_bias {"999999": 1}', "logit_bias has token id 999999; the vocabulary"),
                                    ("min_tokens 9999", "min_tokens is 9999; it must be at most max_tokens, which is 4"),
                                    ("temperature 9", "'temperature' cannot be '9': give a number, 0 to 2")):
            chat.line(f"/set {assignment}")
            chat.wait_for(problem)
        chat.line("/set system You are a pirate")
        chat.wait_for("a system prompt is given by /system")
        chat.line("/set temperature")
        chat.wait_for(r"\(temperature is 0, as it was set\. It takes a number, 0 to 2\.")
        chat.line("Hello")
        chat.wait_for("cut after 4 tokens")

    def test_the_model_is_shown_and_replaced(self):
        chat = Terminal(self, "--max-tokens", "4")
        chat.line("Hello")
        chat.line("/model")
        chat.wait_for("llama, 135 million parameters, a context of 8192 tokens")
        chat.line("/model smolm2")
        chat.wait_for("caravel: [^\r]*smolm2")
        chat.line("/model " + str(MODELS / "broken.gguf"))
        chat.wait_for("caravel: ")
        self.assertEqual(2, len(chat.messages()))
        copy = chat.folder / "Another Model.gguf"
        copy.write_bytes(b"GGUF, but no more than that")
        chat.line(f"/model {copy}")
        chat.wait_for("caravel: [^\r]*; [^\r]* stays")
        chat.line("/model gemma3-270m")
        chat.wait_for("has no chat template[^\r]*; [^\r]* stays")
        chat.line("Tell me a story.")
        chat.wait_for("cut after 4 tokens")
        self.assertEqual(4, len(chat.messages()))
        chat.line("/model smollm2")
        chat.wait_for("135 million parameters")
        chat.line("Tell me another story.")
        chat.wait_for("cut after 4 tokens")
        self.assertEqual(6, len(chat.messages()))


class Answers(unittest.TestCase):
    ASK = "What is the capital of France, and what is it known for?"

    def test_a_cut_answer_says_so_and_goes_on(self):
        whole = Terminal(self, "--max-tokens", "24")
        whole.line(self.ASK)
        whole.wait_for(r"\x1b\[2m\(cut after 24 tokens; /continue goes on, [^)]*\)\x1b\[0m\r\n")
        cut = Terminal(self, "--max-tokens", "12", NO_COLOR="1")
        cut.line("/continue")
        cut.wait_for("there is no answer yet")
        cut.line(self.ASK)
        cut.wait_for(r"\n\(cut after 12 tokens")
        begun = cut.messages()[-1]["content"]
        cut.line("/continue")
        cut.wait_for("cut after 12 tokens")
        expected = whole.messages()
        self.assertEqual(expected, cut.messages())
        self.assertTrue(expected[-1]["content"].startswith(begun))

    def test_an_answer_that_is_whole_says_nothing(self):
        chat = Terminal(self)
        chat.line("What is 2+2?")
        chat.messages()
        self.assertNotIn(b"(", chat.seen[chat.seen.rindex(b"2+2?"):chat.seen.rindex(b"/save")])
        chat.line("/continue")
        chat.wait_for("the model has nothing to add")

    def test_a_full_context_says_what_to_do(self):
        chat = Terminal(self, "--max-model-len", "128", "--max-tokens", "1000", "--ignore-eos")
        chat.line("Tell me a story.")
        chat.wait_for("the context is full, 128 tokens; /reset begins anew")
        chat.line("And then?")
        chat.wait_for(r"caravel: with all that was said the prompt has \d+ tokens[^\r]*/undo[^\r]*/reset")

    def test_an_answer_that_goes_round_in_a_circle_says_so(self):
        chat = Terminal(self, "--regex", "(ab ){100,900}")
        chat.line("/set repetition_window 32")
        chat.line("Say something.")
        chat.wait_for("ended: it went round in a circle; /set [^)]*repetition_window 0")

    def test_an_answer_that_was_stopped_goes_on(self):
        chat = Terminal(self, "--max-tokens", "300", "--ignore-eos")
        chat.line("Tell me a story.")
        chat.wait_for(r"story\..{60}")
        chat.keys(CTRL_C)
        chat.wait_for("stopped; /continue goes on")
        begun = chat.messages()[-1]["content"]
        chat.line("/continue")
        chat.wait_for("cut after 300 tokens")
        self.assertTrue(chat.messages()[-1]["content"].startswith(begun))

    def test_what_is_typed_during_an_answer_is_whole_and_not_drawn_into_it(self):
        chat = Terminal(self, "--max-tokens", "4000", "--ignore-eos")
        chat.line("Tell me a story.")
        chat.wait_for(r"story\..{60}")
        text = " ".join(["information", "education", "government", "environment"] * 110)  # more than 4,096 bytes
        chat.keys(b"\x1b[200~", f"/system {text[:3000]}", text[3000:], b"\x1b[201~")
        time.sleep(0.3)
        begun = chat.seen
        chat.keys(CTRL_C, ENTER)
        chat.wait_for(r"stopped; /continue goes on.*system prompt: information education")
        self.assertNotIn(b"education government", begun)
        self.assertEqual([{"role": "system", "content": text}], chat.messages())

    def test_the_terminal_is_put_right_when_an_answer_is_killed(self):
        for end in (signal.SIGTERM, signal.SIGHUP):
            chat = Terminal(self, "--max-tokens", "2000", "--ignore-eos")
            chat.line("Tell me a story.")
            chat.wait_for(r"story\..{60}")
            self.assertFalse(termios.tcgetattr(chat.file)[3] & termios.ECHO)
            os.kill(chat.pid, end)
            self.assertEqual(-end, chat.wait_for_end())
            self.assertTrue(termios.tcgetattr(chat.file)[3] & termios.ECHO)

    def test_a_prescribed_form_does_not_go_on(self):
        chat = Terminal(self, "--max-tokens", "3", "--regex", "[a-z]{40,60}")
        chat.line("Say something.")
        chat.wait_for("cut after 3 tokens")
        chat.line("/continue")
        chat.wait_for("caravel: an answer of a prescribed form cannot go on")


class Ends(unittest.TestCase):
    def test_the_terminal_is_left_as_it_was(self):
        for leave in (["/exit", ENTER], ["/quit", ENTER], ["/bye", ENTER], [CTRL_D]):
            chat = Terminal(self)
            chat.keys(*leave)
            self.assertEqual(0, chat.wait_for_end(), leave)
            self.assertGreater(chat.seen.rindex(b"\x1b[?2004l"), chat.seen.rindex(b"\x1b[?2004h"))

    def test_also_by_two_ctrl_c(self):
        chat = Terminal(self, "--max-tokens", "1000", "--ignore-eos")
        chat.line("Tell me a story.")
        chat.wait_for(r"story\..{40}")
        deadline = time.monotonic() + 30
        while not chat.has_ended():  # until two come before the first has stopped what runs
            self.assertLess(time.monotonic(), deadline)
            os.kill(chat.pid, signal.SIGINT)
            chat.read(0.001)
        self.assertEqual(130, chat.wait_for_end())
        self.assertTrue(chat.seen.endswith(b"\x1b[?2004l"), chat.seen[-100:])
        self.assertTrue(termios.tcgetattr(chat.file)[3] & termios.ECHO)

    def test_a_dumb_terminal_gets_no_escape_sequences(self):
        chat = Terminal(self, "--max-tokens", "2", TERM="dumb")
        chat.line("Hello")
        chat.wait_for("cut after 2 tokens")
        self.assertNotIn(b"\x1b", chat.seen)


class Piped(unittest.TestCase):
    def run_chat(self, lines, *args):
        return subprocess.run([CARAVEL, "chat", "--temperature", "0", *args, *ENGINE], input=lines.encode(),
                              capture_output=True, timeout=120)

    def test_messages_commands_and_blocks(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "talk.json")
            done = self.run_chat(f'/system Be brief.\nHello\n/continue\n"""\none\n\ntwo\n"""\n/save {path}\n/stats\n',
                                 "--max-tokens", "4")
            self.assertEqual(0, done.returncode, done.stderr)
            messages = json.loads(path.read_text())
        self.assertEqual(["system", "user", "assistant", "user", "assistant"], [m["role"] for m in messages])
        self.assertEqual("one\n\ntwo", messages[3]["content"])
        answers = done.stdout.decode()
        self.assertNotIn("\x1b", answers + done.stderr.decode())
        self.assertEqual((messages[2]["content"] + messages[4]["content"]).replace("\n", ""), answers.replace("\n", ""))

    def test_a_block_ends_with_the_input(self):
        done = self.run_chat('"""\nHello', "--max-tokens", "4")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertTrue(done.stdout.strip())

    def test_notes_that_cannot_be_written_are_dropped(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([CARAVEL, "chat", "--max-tokens", "3", *ENGINE], input=b"Hello\n/stats\n",
                                  stdout=subprocess.PIPE, stderr=full, timeout=120)
        self.assertEqual(0, done.returncode)
        self.assertTrue(done.stdout.strip())

    def test_a_model_without_conversations_is_refused_at_once(self):
        for text in (b"", b"Hello\n"):
            done = subprocess.run([CARAVEL, "chat", "gemma3-270m"], input=text, capture_output=True, timeout=60)
            self.assertEqual((1, b""), (done.returncode, done.stdout))
            self.assertIn(b'has no chat template: it goes on with texts, as in caravel generate gemma3-270m', done.stderr)

    def test_what_cannot_be_done_ends_it(self):
        for line, problem in (("/sytem x", "'/system'"), ("/load none.json", "none.json: no such file"),
                              ("/edit", "/edit needs a terminal")):
            done = self.run_chat(f"{line}\nHello\n")
            self.assertEqual((1, b""), (done.returncode, done.stdout), line)
            self.assertIn(problem, done.stderr.decode())


if __name__ == "__main__":
    sys.exit(unittest.main())
