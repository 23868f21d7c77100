// npm install jose
import { createRemoteJWKSet, jwtVerify } from "jose";

const issuer = {{js issuer}};
const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`));

export async function verify(token, scope) {
  const options = { issuer, audience: {{js identifier}}, algorithms: {{js algs}}, typ: "at+jwt" };
  const { payload } = await jwtVerify(token, keys, options);
  if (!(payload.scope ?? "").split(" ").includes(scope)) throw new Error(`the token lacks the scope ${scope}`);
  return payload;
}
