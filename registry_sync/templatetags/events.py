"""How a notification of the registry is shown."""

from django import template

from registry_sync.events import envelope

register = template.Library()
register.filter("as_it_came", envelope.redacted)
