// The same check in front of a plain HTTP API: ISSUER=… AUDIENCE=… PORT=… node api.js
const http = require("node:http");
const { verify } = require("./authorizer.js");

const SCOPE = process.env.SCOPE ?? "notes:read";

async function answer(request) {
  const token = /^bearer (\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
  if (!token) return [401, "Bearer", { error: "no token" }];
  const claims = await verify(token).catch(() => null);
  if (!claims) return [401, 'Bearer error="invalid_token"', { error: "invalid token" }];
  const scopes = (claims.scope ?? "").split(" ");
  if (!scopes.includes(SCOPE)) return [403, `Bearer error="insufficient_scope", scope="${SCOPE}"`, { error: "insufficient scope" }];
  return [200, "", { notes: ["Buy milk"], for: claims.sub }];
}

const server = http.createServer(async (request, response) => {
  const [status, challenge, body] = await answer(request);
  const headers = { "Content-Type": "application/json", ...(challenge && { "WWW-Authenticate": challenge }) };
  response.writeHead(status, headers).end(JSON.stringify(body));
});
server.listen(process.env.PORT ?? 4000, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
