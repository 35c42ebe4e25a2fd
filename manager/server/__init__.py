"""The server's front: ASGI applications that take each request whole before they spend a thread on it."""
