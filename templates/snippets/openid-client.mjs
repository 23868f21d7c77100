// npm install openid-client; save as app.mjs and run it with Node 20 or newer
import http from "node:http";
import * as client from "openid-client";

const redirectUri = new URL({{js redirect_uri}});
const asked = {
  scope: {{js scope}},
  resource: {{js resource}},
};
[[basic]]const credentials = client.ClientSecretBasic(process.env.CLIENT_SECRET);
[[post]]const credentials = client.ClientSecretPost(process.env.CLIENT_SECRET);
[[key]]const credentials = client.PrivateKeyJwt({ key: await privateKey(), kid: process.env.CLIENT_KEY_ID });
const options = {};
[[insecure]]options.execute = [client.allowInsecureRequests]; // for http://localhost alone
const server = await client.discovery(new URL({{js issuer}}), {{js client_id}}, undefined, credentials, options);
const pending = new Map(); // what was sent, by state; with several processes, keep it in the session

async function login(response) {
  const sent = { pkceCodeVerifier: client.randomPKCECodeVerifier(), expectedState: client.randomState(), expectedNonce: client.randomNonce() };
  pending.set(sent.expectedState, sent);
  const address = client.buildAuthorizationUrl(server, {
    redirect_uri: redirectUri.href, state: sent.expectedState, nonce: sent.expectedNonce,
    code_challenge: await client.calculatePKCECodeChallenge(sent.pkceCodeVerifier), code_challenge_method: "S256", ...asked,
  });
  const cookie = `state=${sent.expectedState}; HttpOnly; SameSite=Lax; Path=/; Max-Age=600`;
  response.writeHead(302, { Location: address.href, "Set-Cookie": cookie }).end();
}

async function callback(url, request, response) {
  const state = /(?:^|; )state=([^;]+)/.exec(request.headers.cookie ?? "")?.[1];
  const sent = pending.get(state);
  pending.delete(state);
  if (!sent) return response.writeHead(400).end("Start at /login");
  const tokens = await client.authorizationCodeGrant(server, url, sent);
  response.end(`Signed in as ${tokens.claims()?.sub}`);
}

http.createServer((request, response) => {
  const url = new URL(request.url, redirectUri);
  const answer = url.pathname === redirectUri.pathname ? callback(url, request, response) : login(response);
  answer.catch((error) => response.writeHead(400).end(`It failed: ${error.message}`));
}).listen(redirectUri.port || 3000);
[[key]]
[[key]]async function privateKey() { // a PKCS #8 file, of the public key that is registered here
[[key]]  const { readFile } = await import("node:fs/promises");
[[key]]  const bytes = Buffer.from((await readFile(process.env.CLIENT_KEY_FILE, "utf8")).replace(/-----.*-----|\s/g, ""), "base64");
[[key]]  return crypto.subtle.importKey("pkcs8", bytes, {{raw key_kind}}, false, ["sign"]);
[[key]]}
