"""The declaration of the server: the table ``[listen]``, and the tables within it."""

from typing import Annotated, Literal

from msgspec import Meta

from puppylog.config.kinds import Identifier, Size, SocketAddress, ZoneName
from puppylog.config.table import Table, Text, written


class ListenTable(Table, frozen=True, kw_only=True):
    """The server of `puppylog up`: where it listens, and for whom."""

    title = "listen"

    address: Annotated[
        SocketAddress,
        Meta(
            description="Where the server listens. Use 0.0.0.0 (IPv4), [::] (IPv4 and IPv6) or an address of this "
            "machine to be reachable from other machines."
        ),
    ] = written(SocketAddress, "127.0.0.1:7380")
    hosts: Annotated[
        tuple[Text, ...],
        Meta(
            description="Host names of this server, by which requests may address it; *.example.org is every name "
            "below example.org, and * is every name. IP addresses, localhost, the name of this machine and the names "
            "in the certificate need not be listed."
        ),
    ] = ()
    certificate: Annotated[
        Text | None,
        Meta(
            description="For TLS: a PEM file with the certificate and the intermediate certificates. Default: no TLS."
        ),
    ] = None
    key: Annotated[
        Text | None, Meta(description="A PEM file with the private key. Default: the file of the certificate.")
    ] = None
    trusted_proxies: Annotated[
        tuple[Text, ...],
        Meta(
            description="Addresses and networks of proxies, such as 10.0.0.0/8, whose X-Forwarded-For and "
            "X-Forwarded-Proto are trusted."
        ),
    ] = ()
    open: Annotated[
        bool,
        Meta(description="Whether to accept requests without a token although other machines can reach the address."),
    ] = False
    max_body: Annotated[Size, Meta(description="The largest request body, after decompression.")] = written(
        Size, "64MiB"
    )


class LokiTable(Table, frozen=True, kw_only=True):
    """What the receiver of Loki's push API does with lines."""

    title = "listen.loki"

    format: Annotated[
        Text | None,
        Meta(
            description="How lines are parsed: `auto`, or another name of `puppylog formats`. Default: a line that is "
            "a JSON object fills columns and attributes, and any other line is the message."
        ),
    ] = None


class SyslogTable(Table, frozen=True, kw_only=True):
    """A receiver of syslog, on an address of its own."""

    title = "listen.syslog"

    name: Annotated[Text, Meta(description="The name of the receiver, which becomes the source of its stream.")]
    address: Annotated[SocketAddress, Meta(description="Where it listens.")]
    protocol: Annotated[Literal["udp", "tcp", "tls"], Meta(description="How messages arrive.")] = "udp"
    format: Annotated[
        Text,
        Meta(description="How messages are parsed: `syslog`, or another name of `puppylog formats`, such as `json`."),
    ] = "syslog"
    group: Annotated[
        Identifier | None, Meta(description="The log group, which is created if it does not exist. Default: none.")
    ] = None
    tz: Annotated[
        ZoneName | None,
        Meta(description="The zone of time stamps without an offset. Default: the `tz` of the file, or else UTC."),
    ] = None
    time: Annotated[
        Literal["message", "receipt"],
        Meta(
            description="The time of a record: the time in the message, or the time of receipt. With `receipt`, the "
            "time in the message becomes the attribute `sent_at`."
        ),
    ] = "message"
    certificate: Annotated[
        Text | None, Meta(description="For tls: a PEM file with the certificate. Default: the certificate of [listen].")
    ] = None
    key: Annotated[
        Text | None, Meta(description="For tls: a PEM file with the private key. Default: the file of the certificate.")
    ] = None
    client_ca: Annotated[
        Text | None,
        Meta(
            description="For tls: a PEM file with CA certificates. Only clients with a certificate from one of these "
            "may send. Default: all clients may send."
        ),
    ] = None
