// The peer: oidc-provider with the clients, APIs, claims and algorithms that authserver is measured with.
// Its only argument is JSON: {port, apis: {identifier: alg}, service: {id, secret}, app: {id, redirect_uri}}.

import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";

import { Provider } from "oidc-provider";
import MemoryAdapter from "oidc-provider/lib/adapters/memory_adapter.js";
import LRU from "oidc-provider/lib/helpers/lru.js";

const { port, apis, service, app } = JSON.parse(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;
const signedIn = Math.floor(Date.now() / 1000);

const store = new LRU({ maxSize: 1_000_000 }); // its own forgets all but the last 1,000 entries

class Adapter extends MemoryAdapter {
  constructor(model) {
    super(model, store);
  }
}

function key(alg, type, options) {
  const { privateKey } = generateKeyPairSync(type, options);
  return { ...privateKey.export({ format: "jwk" }), alg, use: "sig", kid: alg };
}

const provider = new Provider(issuer, {
  adapter: Adapter,
  jwks: { keys: [key("RS256", "rsa", { modulusLength: 2048 }), key("ES256", "ec", { namedCurve: "P-256" })] },
  clients: [
    {
      client_id: service.id,
      client_secret: service.secret,
      token_endpoint_auth_method: "client_secret_basic",
      grant_types: ["client_credentials"],
      response_types: [],
      redirect_uris: [],
    },
    {
      client_id: app.id,
      token_endpoint_auth_method: "none",
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      redirect_uris: [app.redirect_uri],
      id_token_signed_response_alg: "RS256",
      require_auth_time: true,
    },
  ],
  scopes: ["openid", "offline_access"],
  claims: {
    openid: ["sub"],
    profile: ["name", "given_name", "family_name", "updated_at"],
    email: ["email", "email_verified"],
  },
  ttl: { AccessToken: 600, ClientCredentials: 600, AuthorizationCode: 60, IdToken: 3600, Session: 86400, Grant: 86400, Interaction: 3600 },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    rpInitiatedLogout: { enabled: false },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (_ctx, resource) => ({
        scope: "read write",
        audience: resource,
        accessTokenTTL: 600,
        accessTokenFormat: "jwt",
        jwt: { sign: { alg: apis[resource] } },
      }),
    },
  },
  pkce: { required: () => true },
  issueRefreshToken: (_ctx, client) => client.grantTypeAllowed("refresh_token"),
  extraTokenClaims: (_ctx, token) =>
    token.accountId
      ? { roles: ["editor"], grant_id: token.grantId, auth_time: signedIn, acr: "urn:authserver:password", amr: ["pwd"] }
      : {},
  findAccount: (_ctx, id) => ({
    accountId: id,
    claims: () => ({
      sub: id,
      name: "Alice Example",
      given_name: "Alice",
      family_name: "Example",
      updated_at: signedIn,
      email: `${id}@example.com`,
      email_verified: true,
    }),
  }),
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
});

// Signs in whoever the login_hint names, and allows everything: done once per person, before anything is measured.
async function interact(request, response) {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  if (prompt.name === "login") {
    await provider.interactionFinished(request, response, { login: { accountId: params.login_hint } });
    return;
  }
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope("openid profile email");
  for (const identifier of Object.keys(apis)) grant.addResourceScope(identifier, "read write");
  const grantId = await grant.save();
  await provider.interactionFinished(request, response, { consent: { grantId } });
}

const answer = provider.callback();
const server = createServer((request, response) => {
  if (!request.url.startsWith("/interaction/")) return answer(request, response);
  return interact(request, response).catch((error) => {
    console.error(error);
    response.writeHead(500).end();
  });
});
server.keepAliveTimeout = 600_000;
server.listen(port, "127.0.0.1");
