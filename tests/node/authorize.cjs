// What two authorizers answer to each token, `node authorize.cjs '{"name": "token"}'`: `ours` is examples/node-api,
// `guides` what serverless guides print, which looks at algorithm, audience and issuer alone.
const jwt = require("jsonwebtoken");
const jwksClient = require("jwks-rsa");
const { handler } = require("../../examples/node-api/authorizer.js");

const { ISSUER, AUDIENCE } = process.env;
const methodArn = "arn:aws:execute-api:eu-central-1:123456789012:abcdef/prod/GET/notes";
const client = jwksClient({ jwksUri: `${ISSUER}/.well-known/jwks.json`, cache: true });

const ours = (authorizationToken) => handler({ type: "TOKEN", authorizationToken, methodArn }).catch((error) => error.message);

function guides(authorizationToken) {
  const getKey = (header, callback) => client.getSigningKey(header.kid, (error, key) => callback(error, key?.getPublicKey()));
  return new Promise((resolve) => {
    const options = { algorithms: ["RS256"], audience: AUDIENCE, issuer: ISSUER };
    jwt.verify(authorizationToken.split(" ")[1], getKey, options, (error, claims) => resolve(error ? error.message : claims.sub));
  });
}

async function main() {
  const answers = {};
  for (const [name, token] of Object.entries(JSON.parse(process.argv[2]))) {
    answers[name] = { ours: await ours(token), guides: await guides(token) };
  }
  console.log(JSON.stringify(answers));
}

main();
