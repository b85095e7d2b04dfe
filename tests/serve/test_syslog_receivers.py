"""Receivers of syslog in front of an intake that is full, refuses or loses; limits, broken framing, and the end."""

import asyncio
import json
import socket
import ssl
from contextlib import suppress
from pathlib import Path

import pytest

from puppylog.receive.received import Received
from puppylog.receive.syslog.decoder import Arrived, Listening, decode
from puppylog.serve.refusal import Refusal
from puppylog.serve.syslog import inbox
from puppylog.serve.syslog.limits import SyslogLimits
from puppylog.serve.syslog.peers import name_peer
from support.certificate import write_certificate
from support.syslog_receiver import HeldIntake, Receiving, receiving

LIMITS = SyslogLimits(gather_s=0.001, retry_s=0.01, end_s=10.0)
NARROW = SyslogLimits(gather_s=0.001, waiting_bytes=20_000, stream_buffer_bytes=8192, datagram_buffer_bytes=8192)


async def connect(got: Receiving, tls: ssl.SSLContext | None = None) -> asyncio.StreamWriter:
    _, writer = await asyncio.open_connection("127.0.0.1", got.port, ssl=tls)
    return writer


def texts(count: int, size: int = 20) -> list[str]:
    return [f"{number:08}".ljust(size, "x") for number in range(count)]


def test_a_peer_is_named_by_its_address() -> None:
    assert [name_peer(address) for address in ("192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1")] == [
        "192.0.2.1",
        "192.0.2.1",
        "2001:db8::1",
    ]


def test_messages_of_both_framings_are_stored_in_their_order() -> None:
    async def run() -> None:
        async with receiving("tcp", LIMITS, HeldIntake()) as got:
            writer = await connect(got)
            for number, text in enumerate(texts(100)):
                message = f"<13>{text}"
                writer.write((f"{len(message)} {message}" if number % 2 else f"{message}\n").encode())
                await writer.drain()
            await got.wait_for(lambda: len(got.intake.stored) == 100)
            writer.close()
        assert got.intake.stored == texts(100)
        assert json.loads(got.intake.attributes[0]) == {
            "facility": "user",
            "peer": "127.0.0.1",
            "ts_source": "read",
        }

    asyncio.run(run())


def test_a_connection_is_not_read_while_the_intake_is_full_and_then_loses_nothing() -> None:
    async def run() -> None:
        intake = HeldIntake(is_open=False)
        async with receiving("tcp", NARROW, intake) as got:
            writer = await connect(got)
            writer.write("".join(f"<13>{text}\n" for text in texts(30_000, 200)).encode())
            await got.wait_for(lambda: got.inbox.is_full)
            for _ in range(20):
                await asyncio.sleep(0.005)
                assert got.inbox.waiting_bytes < 1_000_000
            assert writer.transport.get_write_buffer_size() > 1_000_000
            intake.open()
            await got.wait_for(lambda: len(intake.stored) == 30_000)
            writer.close()
        assert intake.stored == texts(30_000, 200)

    asyncio.run(run())


def test_datagrams_that_the_kernel_drops_are_counted_and_said() -> None:
    async def run() -> None:
        intake = HeldIntake(is_open=False)
        async with receiving("udp", NARROW, intake) as got:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                for text in texts(5000, 200):
                    sender.sendto(f"<13>{text}".encode(), ("127.0.0.1", got.port))
            intake.open()
            await got.wait_for(lambda: len(intake.stored) + got.count("dropped_datagrams") == 5000)
            assert 0 < len(intake.stored) < 5000
            assert intake.stored == sorted(intake.stored)
            await got.wait_for(lambda: bool(got.reported))
            assert "datagrams are lost: " in got.reported[0]
            assert "the kernel's buffer of 4 KiB was full" in got.reported[0] or "8 KiB" in got.reported[0]

    asyncio.run(run())


def test_messages_that_the_intake_refuses_are_stored_later_and_once() -> None:
    async def run() -> None:
        intake = HeldIntake(refusals=3, outcomes=[Refusal(503, "another server follows the stream")] * 2)
        async with receiving("udp", LIMITS, intake) as got:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(b"<13>one\n<13>two", ("127.0.0.1", got.port))
            await got.wait_for(lambda: len(intake.stored) == 2)
            assert got.count("lost_messages") == 0
        assert intake.stored == ["one", "two"]

    asyncio.run(run())


def test_messages_that_cannot_be_stored_are_counted_and_said() -> None:
    async def run() -> None:
        intake = HeldIntake(outcomes=[Refusal(400, "the store does not want them")])
        async with receiving("tcp", LIMITS, intake) as got:
            writer = await connect(got)
            writer.write(b"<13>lost\n")
            await got.wait_for(lambda: got.count("lost_messages") == 1)
            assert got.inbox.waiting_bytes == 0
            assert got.reported == ["syslog 'network': cannot store 1 messages: the store does not want them"]
            writer.write(b"<13>kept\n")
            await got.wait_for(lambda: intake.stored == ["kept"])
            writer.close()

    asyncio.run(run())


def test_a_message_that_shows_a_defect_costs_no_other_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def decode_most(arrived: Arrived, at_us: int, listening: Listening) -> Received:
        if any(b"defect" in text for text in arrived.texts):
            raise ValueError("a defect")
        return decode(arrived, at_us, listening)

    monkeypatch.setattr(inbox, "decode", decode_most)

    async def run() -> None:
        async with receiving("tcp", SyslogLimits(gather_s=0.1), HeldIntake()) as got:
            writer = await connect(got)
            writer.write(b"".join(b"<13>%s\n" % text for text in (b"one", b"two", b"defect", b"three", b"four")))
            await got.wait_for(lambda: len(got.intake.stored) == 4)
            assert got.intake.stored == ["one", "two", "three", "four"]
            assert got.count("lost_messages") == 1
            assert "internal error: ValueError: a defect" in got.reported[0]
            writer.close()
            await got.wait_for(lambda: got.inbox.waiting_bytes == 0)

    asyncio.run(run())


def test_a_sender_with_a_wrong_size_is_disconnected_and_what_it_sent_is_kept() -> None:
    async def run() -> None:
        async with receiving("tcp", LIMITS, HeldIntake()) as got:
            reader, writer = await asyncio.open_connection("127.0.0.1", got.port)
            writer.write(b"7 <13>one3 <13>two and more")
            with suppress(ConnectionResetError):
                assert await reader.read() == b""
            writer.close()
            await got.wait_for(lambda: len(got.intake.stored) == 3)
            assert got.intake.stored == ["one", "<13", ">two and more"]
            assert json.loads(got.intake.attributes[2])["lost_framing"] is True
            cause = "neither a size nor a priority follows a counted message"
            assert got.reported == [f"syslog 'network': the connection of 127.0.0.1 is closed: {cause}"]

    asyncio.run(run())


def test_an_address_with_too_many_connections_gets_no_more() -> None:
    async def run() -> None:
        limits = SyslogLimits(gather_s=0.001, connections_of_peer=2)
        async with receiving("tcp", limits, HeldIntake()) as got:
            first, second = await connect(got), await connect(got)
            await got.wait_for(lambda: got.receiver.connections == 2)
            reader, third = await asyncio.open_connection("127.0.0.1", got.port)
            assert await reader.read() == b""
            third.close()
            first.close()
            await got.wait_for(lambda: got.receiver.connections == 1)
            fourth = await connect(got)
            fourth.write(b"<13>again\n")
            await got.wait_for(lambda: got.intake.stored == ["again"])
            assert got.count("refused_connections") == 1
            assert got.reported == ["syslog 'network': 127.0.0.1 has 2 connections: it gets no more"]
            second.close()
            fourth.close()

    asyncio.run(run())


def test_of_too_many_connections_the_longest_unused_one_is_closed() -> None:
    async def run() -> None:
        limits = SyslogLimits(gather_s=0.001, connections=2)
        async with receiving("tcp", limits, HeldIntake()) as got:
            idle_reader, idle = await asyncio.open_connection("127.0.0.1", got.port)
            used = await connect(got)
            used.write(b"<13>used\n")
            await got.wait_for(lambda: got.intake.stored == ["used"])
            third = await connect(got)
            third.write(b"<13>third\n")
            assert await idle_reader.read() == b""
            await got.wait_for(lambda: got.intake.stored == ["used", "third"])
            for writer in (idle, used, third):
                writer.close()

    asyncio.run(run())


def test_a_burst_of_connections_stays_within_the_limit() -> None:
    async def run() -> None:
        limits = SyslogLimits(gather_s=0.001, connections=5, connections_of_peer=1000)
        async with receiving("tcp", limits, HeldIntake()) as got:
            senders = [socket.create_connection(("127.0.0.1", got.port)) for _ in range(50)]  # none is accepted yet
            await got.wait_for(lambda: got.count("refused_connections") == 45)
            await got.wait_for(lambda: got.receiver.connections == 5)
            for sender in senders:
                sender.close()
            await got.wait_for(lambda: got.receiver.connections == 0)
            last = await connect(got)
            last.write(b"<13>last\n")
            await got.wait_for(lambda: got.intake.stored == ["last"])
            last.close()

    asyncio.run(run())


def test_what_has_arrived_is_stored_when_the_server_ends() -> None:
    async def run() -> None:
        intake = HeldIntake()
        async with receiving("tcp", LIMITS, intake) as got:
            writer = await connect(got)
            writer.write("".join(f"<13>{text}\n" for text in texts(1000)).encode() + b"<13>half")
            await writer.drain()
            await got.wait_for(lambda: got.receiver.connections == 1)
        assert intake.stored == [*texts(1000), "half"]
        assert json.loads(intake.attributes[-1])["incomplete"] is True
        writer.close()

    asyncio.run(run())


def test_the_datagrams_in_the_kernel_are_stored_when_the_server_ends() -> None:
    async def run() -> None:
        intake = HeldIntake()
        limits = SyslogLimits(gather_s=0.001, datagrams_at_once=7, end_s=10.0)
        async with receiving("udp", limits, intake) as got:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                for text in texts(100):  # the receiver's loop does not run meanwhile
                    sender.sendto(f"<13>{text}".encode(), ("127.0.0.1", got.port))
        assert intake.stored == texts(100)

    asyncio.run(run())


def test_only_senders_with_a_certificate_of_the_authority_may_connect(tmp_path: Path) -> None:
    certificate = write_certificate(tmp_path)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(certificate)
    serving.load_verify_locations(certificate)
    serving.verify_mode = ssl.CERT_REQUIRED
    stranger = ssl.create_default_context(cafile=str(certificate))
    known = ssl.create_default_context(cafile=str(certificate))
    known.load_cert_chain(certificate)

    async def run() -> None:
        async with receiving("tls", LIMITS, HeldIntake(), serving) as got:
            with suppress(OSError):  # an alert of TLS
                reader, refused = await asyncio.open_connection("127.0.0.1", got.port, ssl=stranger)
                refused.write(b"<13>stranger\n")
                assert await reader.read() == b""
            await got.wait_for(lambda: got.count("failed_handshakes") == 1)
            writer = await connect(got, known)
            writer.write(b"<13>known\n")
            await got.wait_for(lambda: got.intake.stored == ["known"])
            writer.close()
            await got.wait_for(lambda: got.receiver.connections == 0)
            assert "syslog 'network': no TLS with 127.0.0.1: " in got.reported[0]

    asyncio.run(run())
