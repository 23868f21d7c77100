// The functions of serverless.yml. API Gateway has checked the token, and the route's scope, before they run.
const answer = (statusCode, body) => ({ statusCode, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
const claimsOf = (event) => event.requestContext.authorizer.jwt.claims; // every claim is a text: lists look like "[a b]"

exports.list = async (event) => answer(200, { for: claimsOf(event).sub, notes: ["Buy milk"] });
exports.create = async (event) => answer(201, { by: claimsOf(event).client_id, note: JSON.parse(event.body).note });
