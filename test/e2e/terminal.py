"""Runs a program in a terminal of its own, answers what it asks, and tells as JSON how it ended and how it left the terminal.

terminal.py '[["pattern of what it prints", "keys"], ...]' PROGRAM ARGUMENT...
"""
import codecs, fcntl, json, os, pty, re, struct, sys, termios

steps = json.loads(sys.argv[1])
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack('HHHH', 40, 100, 0, 0))
decode = codecs.getincrementaldecoder('utf-8')('replace').decode
shown, since = '', 0
modes = termios.tcgetattr(terminal)[3]
while True:
    try:
        data = os.read(terminal, 65536)
    except OSError:  # The program has closed its end (Linux: EIO).
        break
    if not data:
        break
    shown += decode(data)
    if steps and re.search(steps[0][0], shown[since:]):
        os.write(terminal, steps.pop(0)[1].encode())
        since = len(shown)
    modes = termios.tcgetattr(terminal)[3]
_, status = os.waitpid(pid, 0)
try:
    modes = termios.tcgetattr(terminal)[3]
except termios.error:
    pass
ended = os.waitstatus_to_exitcode(status)
hidden, visible = shown.rfind('\x1b[?25l'), shown.rfind('\x1b[?25h')
print(json.dumps({
    'code': ended if ended >= 0 else 128 - ended,
    'shown': shown,
    'unasked': [pattern for pattern, _ in steps],
    'sane': bool(modes & termios.ECHO) and bool(modes & termios.ICANON) and hidden <= visible,
}))
