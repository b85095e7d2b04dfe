"""Notifications: the message about an alert's transitions, and the contacts that it is sent to.

This layer knows neither the configuration file nor the environment. A caller passes contacts whose secrets have been
read, and a `Delivery` with the deadline, the proxies and the environment of commands.
"""
