"""Sign-in at an OpenID Connect provider that the operator chose (docs/sso.md)."""
