// npm install openid-client; save as service.mjs and run it with Node 20 or newer
import * as client from "openid-client";

[[basic]]const credentials = client.ClientSecretBasic(process.env.CLIENT_SECRET);
[[post]]const credentials = client.ClientSecretPost(process.env.CLIENT_SECRET);
[[key]]const credentials = client.PrivateKeyJwt({ key: await privateKey(), kid: process.env.CLIENT_KEY_ID });
const options = {};
[[insecure]]options.execute = [client.allowInsecureRequests]; // for http://localhost alone
const server = await client.discovery(new URL({{js issuer}}), {{js client_id}}, undefined, credentials, options);
const asked = {};
asked.resource = {{js resource}};
const tokens = await client.clientCredentialsGrant(server, asked);
console.log(tokens.access_token); // use it for expires_in seconds: fetch(url, { headers: { Authorization: `Bearer ${tokens.access_token}` } })
[[key]]
[[key]]async function privateKey() { // a PKCS #8 file, of the public key that is registered here
[[key]]  const { readFile } = await import("node:fs/promises");
[[key]]  const bytes = Buffer.from((await readFile(process.env.CLIENT_KEY_FILE, "utf8")).replace(/-----.*-----|\s/g, ""), "base64");
[[key]]  return crypto.subtle.importKey("pkcs8", bytes, {{raw key_kind}}, false, ["sign"]);
[[key]]}
