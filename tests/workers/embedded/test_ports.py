"""Choosing ports."""

import socket

from tests.ports import own_ports
from workers.embedded.ports import LOOPBACK, free_port, is_free


def test_a_free_port_is_kept() -> None:
    (port,) = own_ports(1)
    assert is_free(port)
    assert free_port(port) == port


def test_taken_ports_are_passed_over() -> None:
    start = own_ports(3)[0]
    with socket.create_server((LOOPBACK, start)), socket.create_server(("0.0.0.0", start + 1)):
        assert not is_free(start)
        assert not is_free(start + 1)
        assert free_port(start) == start + 2


def test_a_server_that_has_just_ended_does_not_block_its_port() -> None:
    (port,) = own_ports(1)
    server = socket.create_server((LOOPBACK, port))
    with socket.create_connection((LOOPBACK, port)):
        accepted, _ = server.accept()
        accepted.close()  # the side that closes first keeps the connection in TIME_WAIT
    server.close()
    assert is_free(port)


def test_the_last_ports_fall_back_to_any_free_one() -> None:
    with socket.create_server((LOOPBACK, 65535)):
        port = free_port(65535)
    assert 1024 <= port < 65535
