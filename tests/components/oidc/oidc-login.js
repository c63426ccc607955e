#!/usr/bin/env node
// An OpenID provider that people log in to, by oidc-provider: prints its URL, and ends with its
// standard input. Told how many seconds access tokens and device codes are good for.
//
// Anybody may log in with any password, on its own pages. Its one client is public and native:
// codes need PKCE (S256), refresh tokens are good for one use, and a second one ends the login.

import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";

import Provider from "oidc-provider";

const [accessToken, deviceCode] = process.argv.slice(2).map(Number);
const key = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
const server = createServer();
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  claims: { openid: ["sub"], profile: ["preferred_username"] },
  clients: [
    {
      client_id: "rattler",
      application_type: "native",
      grant_types: [
        "authorization_code",
        "refresh_token",
        "urn:ietf:params:oauth:grant-type:device_code",
      ],
      redirect_uris: ["http://127.0.0.1"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
    },
  ],
  conformIdTokenClaims: false,
  cookies: { keys: ["of a test"] },
  features: {
    deviceFlow: { enabled: true },
    devInteractions: { enabled: true },
    revocation: { enabled: true },
  },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, preferred_username: id }),
  }),
  jwks: { keys: [{ ...key.export({ format: "jwk" }), alg: "RS256", kid: "1", use: "sig" }] },
  pkce: { required: () => true },
  rotateRefreshToken: true,
  ttl: {
    AccessToken: accessToken,
    AuthorizationCode: 60,
    DeviceCode: deviceCode,
    Grant: 3600,
    IdToken: 600,
    Interaction: 600,
    RefreshToken: 3600,
    Session: 600,
  },
});

server.on("request", provider.callback());
process.stdin.on("end", () => process.exit(0)).resume();
console.log(issuer);
