"""Syslog from the network: datagrams and connections to messages, and messages to records.

``framing`` finds the messages, ``decoder`` makes a record of each one, in any form that devices write.
"""
