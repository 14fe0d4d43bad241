"""A process that has the libraries loaded, and of which each command under test is a fork.

Loading TensorFlow takes seconds, a fork milliseconds. Nothing of the libraries has run before it,
so that a command finds them as if it had loaded them itself: `warm_process.py SOCKET MODULE...`.
"""

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import shutil
import socketserver
import sys
import threading
import traceback
import warnings

from tests.graphs import leave_as_traced


class Server(socketserver.ForkingMixIn, socketserver.UnixStreamServer):
    """Ends when the process that started it has ended."""

    parent = os.getppid()

    def service_actions(self):
        super().service_actions()
        if os.getppid() != self.parent:
            sys.exit()


class Handler(socketserver.StreamRequestHandler):
    """Answers a command with its process id and, when it has ended, with its exit code."""

    def handle(self):
        request = json.loads(self.rfile.readline())
        process = os.fork()
        if process == 0:
            self.connection.close()
            become(**request)
        self.wfile.write(f"{process}\n".encode())
        _, status = os.waitpid(process, 0)
        self.wfile.write(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def become(module, arguments, folder, environment, output, errors):
    """Turns this process into `python -m module`."""
    os.chdir(folder)
    os.environ.update(environment)
    for number, path in ((1, output), (2, errors)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_APPEND), number)
    sys.argv = [module, *arguments]
    leave_as_traced()
    code = 0
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code or 0
    except BaseException:
        traceback.print_exc()
        code = 1
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    warnings.filterwarnings("ignore", "This process .* is multi-threaded")
    path, *modules = sys.argv[1:]
    for name in modules:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # A search for garbage in a fork would look at, and so copy, all of them.
    try:
        with contextlib.suppress(KeyboardInterrupt), Server(path, Handler) as server:
            print("ready", flush=True)
            server.serve_forever()
    finally:
        shutil.rmtree(os.path.dirname(path))
