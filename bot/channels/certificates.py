"""Whose certificates a platform's address may show."""

import functools
import ssl

import httpx


@functools.cache
def trusted() -> ssl.SSLContext:
    """Reading the certificates takes a tenth of a second, in which nothing else goes on: once for all connections."""
    return httpx.create_ssl_context()
