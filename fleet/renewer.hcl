# Holds the logins: refresh tokens, and who is renewing them. It deletes nothing, and lists nothing.
path "fleet/data/login/ci/*"  { capabilities = ["create", "read", "update"] }
path "fleet/data/access/ci/*" { capabilities = ["create", "read", "update"] }

# Of its own token; a role with token_no_default_policy grants nothing by itself.
path "auth/token/renew-self"  { capabilities = ["update"] }
path "auth/token/revoke-self" { capabilities = ["update"] }
