// A Lambda authorizer of an API Gateway REST API (type TOKEN): jsonwebtoken checks the token, jwks-rsa finds the key.
const jwt = require("jsonwebtoken");
const jwksRsa = require("jwks-rsa");

const { ISSUER, AUDIENCE } = process.env; // the issuer has no slash at its end
if (!ISSUER || !AUDIENCE) throw new Error("set ISSUER and AUDIENCE"); // without them nothing would be compared
const keys = jwksRsa({ jwksUri: `${ISSUER}/.well-known/jwks.json`, cache: true, rateLimit: true });
const options = { algorithms: ["RS256"], issuer: ISSUER, audience: AUDIENCE, complete: true };

async function verify(token) {
  const key = ({ kid }, done) => keys.getSigningKey(kid).then((found) => done(null, found.getPublicKey()), done);
  const found = await new Promise((resolve, reject) => {
    jwt.verify(token, key, options, (error, verified) => (error ? reject(error) : resolve(verified)));
  });
  if (found.header.typ !== "at+jwt") throw new Error("not an access token");
  return found.payload;
}

async function handler(event) {
  const [scheme, token] = (event.authorizationToken ?? "").split(" ");
  const claims = await verify(scheme.toLowerCase() === "bearer" && token).catch(() => {
    throw new Error("Unauthorized"); // this very text makes API Gateway answer 401
  });
  const api = event.methodArn.split("/").slice(0, 2).join("/"); // all routes: the answer is cached for all of them
  return {
    principalId: claims.sub,
    policyDocument: {
      Version: "2012-10-17",
      Statement: [{ Action: "execute-api:Invoke", Effect: "Allow", Resource: `${api}/*` }],
    },
    context: { scope: claims.scope ?? "", client_id: claims.client_id },
  };
}

module.exports = { handler, verify };
