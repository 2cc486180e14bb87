"""Runs a command at a pseudo-terminal of its own and follows a script of arguments; fails where it does not hold.

at_terminal.py STEP... -- COMMAND...
wait=HEX  until these bytes came out; send=HEX  types them; signal=NAME  sends a signal to the command
raw       the terminal passes every key on; cooked  it does not
Then the command has to end, with the terminal as it was before. Prints its exit status, negative after a signal.
"""

import fcntl
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time

PATIENCE = 120

split = sys.argv.index("--")
steps, command = sys.argv[1:split], sys.argv[split + 1 :]
master, slave = pty.openpty()
before = termios.tcgetattr(slave)
process = subprocess.Popen(
    command,
    stdin=slave,
    stdout=slave,
    stderr=slave,
    start_new_session=True,
    preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
)
seen = b""


def fail(what):
    process.kill()
    sys.exit("%s; seen %r" % (what, seen))


def wait(text):
    global seen
    end = time.monotonic() + PATIENCE
    while text not in seen:
        ready, _, _ = select.select([master], [], [], max(0, end - time.monotonic()))
        if not ready:
            fail("no %r" % text)
        seen += os.read(master, 4096)
    seen = seen[seen.index(text) + len(text) :]


for step in steps:
    name, _, value = step.partition("=")
    if name == "wait":
        wait(bytes.fromhex(value))
    elif name == "send":
        os.write(master, bytes.fromhex(value))
    elif name == "signal":
        process.send_signal(getattr(signal, value))
    else:
        local = termios.tcgetattr(slave)[3]
        cooked = bool(local & termios.ICANON and local & termios.ISIG and local & termios.ECHO)
        if cooked != (name == "cooked"):
            fail("not " + name)
try:
    status = process.wait(PATIENCE)
except subprocess.TimeoutExpired:
    fail("still running")
if termios.tcgetattr(slave) != before:
    fail("terminal not restored")
print(status)
