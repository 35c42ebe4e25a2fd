"""Run inside `manage.py shell`: for each request of standard input, as JSON, prints what a token takes without HTTP.

Older builds run it, too.
"""

import gc
import json
import os
import sys
import time
from datetime import UTC, datetime
from importlib import import_module
from io import BytesIO

BATCHES, BATCH = 40, 12

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
try:
    respond = import_module("registry_sync.tokens.wsgi").respond
except ModuleNotFoundError:
    respond = import_module("registry_sync.token.door").answer


def least(environ: dict[str, str]) -> float:
    """Return seconds of this thread for one token, of the cheapest batch."""
    taken = []
    for _batch in range(BATCHES):
        began = time.thread_time()
        for _token in range(BATCH):
            status, _headers, _body = respond({**environ, "wsgi.input": BytesIO()}, now=datetime.now(UTC))
        taken.append((time.thread_time() - began) / BATCH)
        assert status == 200, status
    return min(taken)


gc.freeze()
for line in sys.stdin:
    print(least(json.loads(line)), flush=True)
