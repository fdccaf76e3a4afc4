"""Runs for an instant before a server, then becomes it: `launcher.py PARENT SIGNAL UID:GID|- COMMAND...`.

A separate program, because only a process of one thread can safely change its user and its parent-death signal
between fork and exec. It runs under `python -I -S`, so it imports the standard library alone.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, death_signal: int, account: str, command: list[str]) -> None:
    """Drop root when an account is given, tie the life of the server to `parent`, and exec it."""
    os.umask(0o077)
    if account != "-":
        uid, gid = (int(part) for part in account.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    # After setuid, which clears it. Only Linux knows it; elsewhere the next start finds what was left behind.
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
        if os.getppid() != parent:  # it died before the signal was set
            sys.exit(1)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])
