// npm install oidc-client-ts
import { UserManager } from "oidc-client-ts";

const users = new UserManager({
  authority: {{js issuer}},
  client_id: {{js client_id}},
  redirect_uri: {{js redirect_uri}},
  post_logout_redirect_uri: {{js post_logout_redirect_uri}},
  scope: {{js scope}},
  resource: {{js resource}},
  loadUserInfo: true, // names and addresses are at userinfo, not in the ID token
  automaticSilentRenew: true,
});

// At the redirect URI: finish the sign-in, then take code and state out of the address.
if (new URLSearchParams(location.search).has("code")) {
  await users.signinCallback();
  history.replaceState(null, "", location.pathname);
}

const user = await users.getUser();
if (!user) await users.signinRedirect();
else console.log(user.profile, user.access_token); // fetch(url, { headers: { Authorization: `Bearer ${user.access_token}` } })
