"""How much a receiver of syslog keeps, and how long it waits."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SyslogLimits:
    """The limits of one receiver of syslog. Tests have smaller ones."""

    waiting_bytes: int = 16 << 20  # of messages that are not stored; above it, nothing is read
    gather_s: float = 0.25  # for messages that are decoded together; each time costs a commit, about 15 ms of CPU
    gather_messages: int = 10_000  # how many are decoded without waiting for more
    busy_s: float = 0.1  # before the intake is tried again while it is full
    retry_s: float = 1.0  # before messages that the intake has refused are put into it again
    end_s: float = 5.0  # for the last commits, when the server ends
    report_s: float = 60.0  # between two sentences about the same problem

    message_bytes: int = 256 << 10  # of one message over TCP or TLS; the rest of a longer one is discarded
    connections: int = 1000
    connections_of_peer: int = 100  # with one address
    handshake_s: float = 10.0  # for the handshake of TLS

    datagram_buffer_bytes: int = 32 << 20  # that the kernel is asked for
    stream_buffer_bytes: int = 256 << 10  # of each connection in the kernel; a process that is killed loses what it has
    datagrams_at_once: int = 500  # before the server's loop does something else
    drops_s: float = 1.0  # between two readings of the kernel's counter
