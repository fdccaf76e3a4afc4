"""Ports on loopback: a preferred one when it is free, otherwise the next free one."""

import socket

from workers.embedded.errors import EmbeddedError

LOOPBACK = "127.0.0.1"

POSTGRES_PORT = 15432
TEMPORAL_PORT = 7233
TEMPORAL_UI_PORT = 8233
TEMPORAL_METRICS_PORT = 9233
SMTP_PORT = 1025
MAILBOX_PORT = 8025
GATEWAY_PORT = 8020

_TRIES = 100


def free_port(preferred: int) -> int:
    """The first free TCP port on loopback from `preferred` upwards, or any free one after a hundred tries.

    The port is free when it is asked, not reserved: a server that loses the race for it has to ask again.
    """
    for port in range(preferred, min(preferred + _TRIES, 65536)):
        if is_free(port):
            return port
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def choose_port(asked: int | None, preferred: int) -> int:
    """The port that was asked for, else `free_port(preferred)`.

    Raises:
        EmbeddedError: the port that was asked for is taken.
    """
    if asked is None:
        return free_port(preferred)
    if not is_free(asked):
        raise EmbeddedError(f"Port {asked} is taken on {LOOPBACK}. Choose another one, or none for the next free one.")
    return asked


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket() as caller:
        caller.settimeout(0.2)
        # Binding alone is no proof: some systems allow it beside a server that listens on every address.
        if caller.connect_ex((LOOPBACK, port)) == 0:
            return False
    with socket.socket() as probe:
        # Connections of an earlier server that linger in TIME_WAIT do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
