"""Syslog over UDP, TCP and TLS: reads sockets in the server's loop, and puts what arrives into the intake.

A sender of syslog gets no answers. So a message counts as waiting from its arrival until its commit. While too much
waits, nothing is read: senders over TCP and TLS wait, and the kernel drops datagrams and counts them.
"""
