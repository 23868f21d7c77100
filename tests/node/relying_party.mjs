// A relying party made of openid-client. A service: discovery and client credentials. An application: prints where the
// person must go, reads on stdin where they came back to, and prints what it made of that.
import "./webcrypto.mjs";
import { createInterface } from "node:readline/promises";
import * as client from "openid-client";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, CLIENT_KEY, REDIRECT_URI, API, ALG } = process.env;
const say = (value) => console.log(JSON.stringify(value));

async function credentials() {
  if (!CLIENT_KEY) return client.ClientSecretBasic(CLIENT_SECRET);
  const { kid, alg, ...jwk } = JSON.parse(CLIENT_KEY);
  const kinds = {
    ES256: { name: "ECDSA", namedCurve: "P-256" },
    PS256: { name: "RSA-PSS", hash: "SHA-256" },
    Ed25519: { name: "Ed25519" },
  };
  const key = await crypto.subtle.importKey("jwk", { ...jwk, key_ops: ["sign"] }, kinds[alg], false, ["sign"]);
  return client.PrivateKeyJwt({ kid, key });
}

async function service(server) {
  const tokens = await client.clientCredentialsGrant(server, { resource: API });
  const inspected = await client.tokenIntrospection(server, tokens.access_token);
  say({ tokens, inspected });
}

async function application(server) {
  const checks = {
    pkceCodeVerifier: client.randomPKCECodeVerifier(),
    expectedState: client.randomState(),
    expectedNonce: client.randomNonce(),
    maxAge: 300,
  };
  const address = client.buildAuthorizationUrl(server, {
    redirect_uri: REDIRECT_URI,
    scope: "openid email read",
    resource: API,
    code_challenge: await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
    code_challenge_method: "S256",
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    max_age: "300",
  });
  say(address.href);
  const { value: callback } = await createInterface({ input: process.stdin })[Symbol.asyncIterator]().next();
  const tokens = await client.authorizationCodeGrant(server, new URL(callback), { ...checks, idTokenExpected: true });
  const claims = tokens.claims();
  const userinfo = await client.fetchUserInfo(server, tokens.access_token, claims.sub);
  const renewed = await client.refreshTokenGrant(server, tokens.refresh_token);
  await client.tokenRevocation(server, renewed.refresh_token ?? tokens.refresh_token);
  const inspected = await client.tokenIntrospection(server, renewed.access_token);
  const logout = client.buildEndSessionUrl(server, { id_token_hint: tokens.id_token }).href;
  say({ claims, userinfo, renewed: renewed.access_token !== tokens.access_token, inspected, logout });
}

const metadata = ALG && { id_token_signed_response_alg: ALG, userinfo_signed_response_alg: ALG };
// The Web Crypto of Node 18 imports no key whose JWK says Ed25519; it knows that one as EdDSA.
const cannotVerify = ALG === "Ed25519" && process.versions.node.startsWith("18.");
const options = { execute: [client.allowInsecureRequests, ...(cannotVerify ? [] : [client.enableNonRepudiationChecks])] };
const server = await client.discovery(new URL(ISSUER), CLIENT_ID, metadata, await credentials(), options);
await (REDIRECT_URI ? application : service)(server);
process.exit(0);
