// Verify access tokens with jose by our JWKS: `node verify_with_jose.mjs '[{"token", "alg", "audience"}]'` prints the
// claims, or the error's code, of each.
import "./webcrypto.mjs";
import { createRemoteJWKSet, jwtVerify } from "jose";

const { ISSUER } = process.env;
const requiredClaims = ["sub", "client_id", "jti", "iat", "exp"];
const keys = createRemoteJWKSet(new URL(`${ISSUER}/.well-known/jwks.json`));

const verify = async ({ token, alg, audience }) => {
  try {
    const options = { issuer: ISSUER, audience, algorithms: [alg], typ: "at+jwt", requiredClaims };
    return (await jwtVerify(token, keys, options)).payload;
  } catch (error) {
    return error.code;
  }
};

console.log(JSON.stringify(await Promise.all(JSON.parse(process.argv[2]).map(verify))));
