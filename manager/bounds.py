"""Bounds and pauses that the environment does not set. They are settings, so that a test can set them.

Times are in seconds.
"""

# The picture of the registry
SYNC_SHARD_SIZE = 200  # repositories in one part of a run
SYNC_RUNS_KEPT = 500
DRIFT_KEPT_PER_RUN = 1000
DRIFT_KEPT_PER_NAMESPACE = 20  # however many others there are
LEASE_PACE = 5.0  # between two renewals by work that comes by often
EVENT_TURN = 1.0  # then whoever came meanwhile is looked at
EVENT_CONFIRM_AFTER = 2.0  # until a tag link is surely written; doubled with each question
EVENT_RETRY_AFTER = 1.0  # doubled with each failure

# Deletion
DELETION_LONG_LOOK = 1.0  # when a look at all tags took more, what was pushed meanwhile is looked for as well

# Operations
CHECKUPS_KEPT = 100
