// Authorizers with the mistakes that samples for API Gateway have copied from each other for years. Each is one mistake.
const jwt = require("jsonwebtoken");
const { verify } = require("../../examples/node-api/authorizer.js");

const allow = (principalId, Resource) => ({
  principalId,
  policyDocument: { Version: "2012-10-17", Statement: [{ Action: "execute-api:Invoke", Effect: "Allow", Resource }] },
});

// The policy names the method that was asked for, and is then kept for all of them.
exports.onlyThisMethod = async (event) => {
  const claims = await verify(event.authorizationToken.split(" ")[1]);
  return allow(claims.sub, event.methodArn);
};

// A text of its own where only `Unauthorized` means 401.
exports.ownText = (event, context, callback) => {
  verify(event.authorizationToken.split(" ")[1])
    .then((claims) => callback(null, allow(claims.sub, `${event.methodArn.split("/").slice(0, 2).join("/")}/*`)))
    .catch((error) => callback(error.name === "TokenExpiredError" ? "Token expired" : "Invalid token"));
};

// Names of headers are in lower case in payload format 2.0.
exports.capitalHeader = async (event) => {
  await verify(event.headers.Authorization.split(" ")[1]);
  return { isAuthorized: true };
};

// One secret for whoever signs and whoever checks, and neither algorithm nor issuer, audience or type are looked at.
exports.sharedSecret = async (event) => {
  const claims = jwt.verify(event.authorizationToken.split(" ")[1], process.env.JWT_SECRET);
  return allow(claims.sub, `${event.methodArn.split("/").slice(0, 2).join("/")}/*`);
};
