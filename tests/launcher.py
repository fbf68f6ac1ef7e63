"""What stands for Python where the program starts a module of its own: it has `forked.py` fork one that has loaded all.

It is given the name of that one's socket first, and then Python's arguments: ``launcher.py NAME -P -m MODULE WORD …``.
"""

import json
import os
import socket
import sys

name, _, _, module, *words = sys.argv[1:]
ours, told = os.pipe()
code = f"import runpy, sys; del sys.modules[{module!r}]; runpy.run_module({module!r}, None, '__main__', True)"
command = {"code": code, "arguments": words, "folder": os.getcwd(), "env": dict(os.environ)}  # noqa: PTH109 -- to load pathlib takes as long as all this
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as forks:
    forks.connect(name)
    socket.send_fds(forks, [json.dumps(command).encode()], [0, 1, 2, told])
for end in (0, 1, 2, told):  # they are its alone
    os.close(end)
heard = b""
while chunk := os.read(ours, 64):
    heard += chunk
os._exit(os.waitstatus_to_exitcode(int(heard.split()[1])) & 0xFF)
