"""The statements of a token request. Raw SQL on purpose: the ORM needs three times as long to build the same."""

from functools import cache

# The rows of both statements about a user: one for each repository asked for, two where both its namespace and its
# image are granted; one without a repository when none is asked for. What is private in another account does not exist
# for this user. Parameters: whose, repositories, the moment.
_PARTS = {
    "status": """
       u.disabled_at IS NOT NULL, u.expires_at IS NOT NULL AND u.expires_at <= {third},
       a.closed_at IS NOT NULL, a.suspended_at IS NOT NULL""",
    "access": """
       asked.repository, CASE WHEN o.closed_at IS NULL AND o.suspended_at IS NULL THEN n.public END,
       g.image_name, g.level""",
    "repositories": """
LEFT JOIN {second_as_asked} ON TRUE
LEFT JOIN namespaces_namespace n ON n.name = asked.namespace AND (n.public OR n.account_id = a.id)
LEFT JOIN accounts_account o ON o.id = n.account_id
LEFT JOIN namespaces_grant g ON g.user_id = u.id AND g.namespace_id = n.id AND g.image_name {of_either}
  AND (g.expires_at IS NULL OR g.expires_at > {third})""",
}
# First parameter: digests. A password that was swapped for an ID token ends with the policy that took that.
CALLER_BY_DIGEST = """
SELECT s.id, s.policy_id, s.digest, s.expires_at IS NOT NULL AND s.expires_at <= {third}
         OR s.retires_at IS NOT NULL AND s.retires_at <= {third}
         OR CASE WHEN s.policy_id IS NULL THEN FALSE ELSE NOT EXISTS (
           SELECT 1 FROM accounts_trustpolicy p JOIN accounts_idtokenissuer i ON i.id = p.issuer_id
           WHERE p.id = s.policy_id AND p.disabled_at IS NULL AND i.enabled) END,
       u.username, u.account_id,{status},{access}
FROM accounts_secret s
JOIN accounts_registryuser u ON u.id = s.user_id
JOIN accounts_account a ON a.id = u.account_id
{repositories}
WHERE s.digest {in_first}
"""
# First parameter: a username.
ACCESS_BY_NAME = """
SELECT {access}
FROM accounts_registryuser u
JOIN accounts_account a ON a.id = u.account_id
{repositories}
WHERE u.username = {first}
"""
# The policies of a user that trust an issuer of that name, and its keys: once where several policies share one. An
# account's own issuer counts for its users alone. Parameters: a username, the issuer, the moment.
POLICIES = """
SELECT p.id, p.audience, p.rules, p.pull_requests_may_push,
       i.id, i.preset,
       CASE WHEN row_number() OVER (PARTITION BY i.id ORDER BY p.id) > 1 THEN ''
            WHEN i.pasted_jwks <> '' THEN i.pasted_jwks ELSE i.jwks END,
       u.username, u.account_id,{status}
FROM accounts_registryuser u
JOIN accounts_account a ON a.id = u.account_id
JOIN accounts_trustpolicy p ON p.user_id = u.id AND p.disabled_at IS NULL
JOIN accounts_idtokenissuer i ON i.id = p.issuer_id AND i.enabled AND i.url = {second}
  AND (i.account_id IS NULL OR i.account_id = u.account_id)
WHERE u.username = {first}
ORDER BY p.id
"""
# Parameter: names of namespaces.
PUBLIC = """
SELECT n.name FROM namespaces_namespace n JOIN accounts_account o ON o.id = n.account_id
WHERE n.name {in_first} AND n.public AND o.closed_at IS NULL AND o.suspended_at IS NULL
"""
# Lists are single parameters, joined by spaces, so that a statement's text never changes. Nor does its plan: PostgreSQL
# sees no values behind a SELECT; else it plans anew whenever it finds fewer than it would guess, for longer than it
# runs.
_DIALECTS = {
    "postgresql": {
        "first": "(SELECT $1::text)",
        "second": "(SELECT $2::text)",
        "in_first": "= ANY(string_to_array((SELECT $1::text), ' '))",
        "second_as_asked": "(SELECT repository, split_part(repository, '/', 1) AS namespace,"
        " substr(repository, strpos(repository, '/') + 1) AS image"
        " FROM unnest(string_to_array((SELECT $2::text), ' ')) AS repository) AS asked",
        "of_either": "= ANY(ARRAY['', asked.image])",  # a list that it looks up, where it would filter by IN
        "third": "($3::timestamp AT TIME ZONE 'UTC')",  # whatever the session's zone is
    },
    "sqlite": {
        "in_first": """IN (SELECT value FROM json_each('["' || replace(?1, ' ', '","') || '"]'))""",
        "second_as_asked": "(SELECT value AS repository, substr(value, 1, instr(value, '/') - 1) AS namespace,"
        " substr(value, instr(value, '/') + 1) AS image"
        """ FROM json_each('["' || replace(?2, ' ', '","') || '"]')) AS asked""",
        "of_either": "IN ('', asked.image)",
        "first": "?1",
        "second": "?2",
        "third": "?3",
    },
}


@cache
def statement(template: str, vendor: str) -> str:
    """Return one of the statements as the database of this vendor takes it."""
    dialect = _DIALECTS[vendor]
    parts = {name: part.format(**dialect) for name, part in _PARTS.items()}
    return template.format(**dialect, **parts)
