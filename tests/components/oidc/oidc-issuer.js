#!/usr/bin/env node
// An issuer of identity tokens, by oidc-provider: prints its URL, and ends with its standard input.
//
// A client of the token endpoint gets, for the resource that it names, a JWT (RS256) whose audience
// that is. Its id says for how many seconds: "job-600".

import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";

import Provider from "oidc-provider";

const LIVES = [1, 300, 600];

const key = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
const server = createServer();
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: LIVES.map((seconds) => ({
    client_id: `job-${seconds}`,
    client_secret: "of-the-ci",
    grant_types: ["client_credentials"],
    redirect_uris: [],
    response_types: [],
  })),
  extraTokenClaims: () => ({ repository: "example/demo", ref: "refs/heads/main" }),
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_, resource) => ({
        accessTokenFormat: "jwt",
        audience: resource,
        jwt: { sign: { alg: "RS256" } },
        scope: "",
      }),
    },
  },
  jwks: { keys: [{ ...key.export({ format: "jwk" }), alg: "RS256", kid: "1", use: "sig" }] },
  ttl: { ClientCredentials: (_, token, client) => Number(client.clientId.split("-")[1]) },
});

server.on("request", provider.callback());
process.stdin.on("end", () => process.exit(0)).resume();
console.log(issuer);
