"""What would break, on the pages that ask before access changes."""

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from namespaces.ledger.breakage import Breakage

# A form field: the person was shown what would break.
ACKNOWLEDGED = "acknowledged"


def as_html(breakage: Breakage) -> SafeString:
    return render_to_string("namespaces/_breakage.html", {"breakage": breakage})


def is_to_be_asked(request: HttpRequest, breakage: Breakage) -> bool:
    """Return whether a form that asks nothing by itself would break something that its sender was not shown yet."""
    return bool(breakage.refused) and ACKNOWLEDGED not in request.POST
