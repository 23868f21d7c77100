// A single-page application in one file: authorization code with PKCE, refresh, userinfo, sign-out.
// Tokens stay in this tab's memory; only what the way to the server and back needs is in sessionStorage.

const demo = document.getElementById("demo");
const status = document.getElementById("status");
const { issuer, clientId, redirectUri, scope } = demo.dataset;
const PENDING = "demo.pending";
let tokens = {};

const base64url = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));
const claims = (jwt) => JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(jwt.split(".")[1].replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0))));
const discover = async () => (await fetch(`${issuer}/.well-known/openid-configuration`)).json();

async function signIn() {
  const server = await discover();
  const pending = { verifier: random(), state: random(), nonce: random() };
  sessionStorage.setItem(PENDING, JSON.stringify(pending));
  const challenge = base64url(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(pending.verifier)));
  location.assign(`${server.authorization_endpoint}?${new URLSearchParams({
    response_type: "code",
    client_id: clientId,
    redirect_uri: redirectUri,
    scope,
    state: pending.state,
    nonce: pending.nonce,
    code_challenge: challenge,
    code_challenge_method: "S256",
  })}`);
}

async function returned(answer) {
  const pending = JSON.parse(sessionStorage.getItem(PENDING) ?? "{}");
  sessionStorage.removeItem(PENDING);
  history.replaceState(null, "", redirectUri);
  if (answer.get("state") !== pending.state || answer.get("iss") !== issuer) throw new Error("state or iss is not what we sent");
  if (answer.has("error")) throw new Error(answer.get("error_description") ?? answer.get("error"));
  await request({ grant_type: "authorization_code", code: answer.get("code"), redirect_uri: redirectUri, code_verifier: pending.verifier });
  if (claims(tokens.id_token).nonce !== pending.nonce) throw new Error("nonce is not what we sent");
}

async function request(parameters) {
  const server = await discover();
  const response = await fetch(server.token_endpoint, { method: "POST", body: new URLSearchParams({ client_id: clientId, ...parameters }) });
  const body = await response.json();
  if (!response.ok) throw new Error(body.error_description ?? body.error);
  tokens = { ...tokens, ...body };
}

const refresh = () => request({ grant_type: "refresh_token", refresh_token: tokens.refresh_token });

async function userinfo() {
  const server = await discover();
  const response = await fetch(server.userinfo_endpoint, { headers: { Authorization: `Bearer ${tokens.access_token}` } });
  tokens.userinfo = await response.json();
}

async function signOut() {
  const server = await discover();
  location.assign(`${server.end_session_endpoint}?${new URLSearchParams({ id_token_hint: tokens.id_token, post_logout_redirect_uri: redirectUri })}`);
}

function show() {
  const signedIn = Boolean(tokens.id_token);
  status.textContent = signedIn ? status.dataset.signedIn : status.dataset.signedOut;
  document.getElementById("sign-in").hidden = signedIn;
  for (const id of ["refresh", "userinfo", "sign-out"]) document.getElementById(id).hidden = !signedIn;
  document.getElementById("refresh").hidden = !tokens.refresh_token;
  for (const section of demo.querySelectorAll("[data-token]")) {
    const value = tokens[section.dataset.token];
    section.hidden = !value;
    if (value) section.querySelector("pre").textContent = JSON.stringify(typeof value === "string" ? claims(value) : value, null, 2);
  }
}

async function run(action) {
  try {
    await action();
    show();
  } catch (error) {
    status.textContent = `${status.dataset.failed} ${error.message}`;
  }
}

const actions = { "sign-in": signIn, refresh, userinfo, "sign-out": signOut };
for (const [id, action] of Object.entries(actions)) document.getElementById(id).addEventListener("click", () => run(action));

const answer = new URLSearchParams(location.search);
if (answer.has("state") && sessionStorage.getItem(PENDING)) run(() => returned(answer));
