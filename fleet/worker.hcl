# Reads access tokens. A worker runs other people's code: it is given nothing else.
path "fleet/data/access/ci/*" { capabilities = ["read"] }

# Of its own token; a role with token_no_default_policy grants nothing by itself.
path "auth/token/renew-self"  { capabilities = ["update"] }
path "auth/token/revoke-self" { capabilities = ["update"] }
