"""Bounds and pauses that the environment does not set. They are settings, so that a test can set them.

Times are in seconds.
"""

# The inventory
SYNC_SHARD_SIZE = 200  # repositories in one part of a run
SYNC_RUNS_KEPT = 500
DRIFT_KEPT_PER_RUN = 1000
DRIFT_KEPT_PER_NAMESPACE = 20  # however many others there are
LEASE_PACE = 5.0  # between two renewals by work that comes by often
LEASE_IDLE_SECONDS = 3  # between two statements of a transaction that has locked a lease
EVENT_TURN = 1.0  # then whoever came meanwhile is looked at
EVENT_CONFIRM_AFTER = 2.0  # until a tag link is surely written; doubled with each question
EVENT_RETRY_AFTER = 1.0  # doubled with each failure

EVENTS_BODY_MAX = 8 * 1024 * 1024  # bytes that the registry may bring at once
INDEX_MANIFESTS_MAX = 1000  # that indexes list and nobody has read; the rest comes when they are read again
LATE_MOVES_MAX = 2000  # of the history of all its tags, that a batch of events reads
RETRIED_AT_ONCE = 50  # manifests whose config, or whose parts, did not come

# Lists
TAGS_COUNTED_MAX = 1000  # then a list says "more than"
MATCHING_MAX = 1000  # tags or images that "all that match" may stand for
USAGE_PASS = 120.0  # for accounts one by one; a task lives ten minutes at most

# The access ledger: new entries a day, of a user and of an account
LEDGER_USER_MOST = 2000
LEDGER_ACCOUNT_MOST = 20_000

# Issuers of ID tokens
ISSUER_ANSWER_SECONDS = 5.0  # for each of the two answers that bring keys

# Deletion
DELETION_PASS_SECONDS = 240.0  # for all removals, then a new task goes on; a task lives ten minutes at most
DELETION_SLOW_READ = 1.0  # seconds; where reading all tags took longer, tags pushed meanwhile are read too

# Accounts
AUDIT_SETTLED = 15 * 60  # an event that is older can be joined by no earlier one, and is sealed
SPENT_INVITATIONS_KEPT = 100  # of an account
LIVE_NOTE_LIFE = 24 * 3600  # then the page's own view makes a new note

# Webhooks
WEBHOOKS_MOST = 50  # of an account
WEBHOOK_ANSWER_SECONDS = 10.0  # for an attempt, from the name to the last byte that is read
WEBHOOK_PASS_SECONDS = 60.0  # then a new task goes on
WEBHOOK_LOG_KEPT = 100  # of what has ended, of each webhook
WEBHOOK_LOG_DAYS = 30

# Operations
FIRST_LOOK = 15  # at the registry, in which `make run` tells nobody to begin
DIAGNOSTIC_RUNS_KEPT = 100
DOCTOR_SLOW = 1.0  # of an answer of the panel's: Distribution's own time-out for a notification
DOCTOR_EVENT_OF_LOOK = 4.0  # until the event about it has come; else something is pushed
DOCTOR_EVENT_OF_PUSH = 12.0  # longer than the registry rests where its events are refused (backoff: 10s)
METRICS_COUNTED_MAX = 10_000  # what a metric says when there are as many or more
