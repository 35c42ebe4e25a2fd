"""What was sent and answered, made readable for a page. PURE."""

from namespaces.manifests.bidi_text import display_text, escape_invisible


def readable(body: str) -> str:
    """Return indented JSON where that loses nothing; a body that was cut stays as it is."""
    return display_text(body.replace("\r\n", "\n").encode()).text


def readable_request(request: str) -> str:
    """`request`: first line, headers and, after an empty line, the body."""
    head, blank, body = request.partition("\n\n")
    return escape_invisible(head) + blank + readable(body)
