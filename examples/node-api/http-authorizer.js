// A Lambda authorizer of an API Gateway HTTP API: payload format 2.0, with EnableSimpleResponses.
const { verify } = require("./authorizer.js");

async function handler(event) {
  const [scheme, token] = (event.headers?.authorization ?? "").split(" "); // headers have lower-case names here
  const claims = await verify(scheme.toLowerCase() === "bearer" && token).catch(() => null);
  if (!claims) return { isAuthorized: false }; // 403: this kind of authorizer has no documented way to say 401
  const { sub, client_id, scope = "" } = claims;
  return { isAuthorized: true, context: { sub, client_id, scope } }; // for all routes: scopes are the backend's to check
}

module.exports = { handler };
