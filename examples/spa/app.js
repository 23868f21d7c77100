// A single-page application with oidc-client-ts: sign in, renew, userinfo, revoke, sign out.
import { UserManager } from "oidc-client-ts";

const config = await (await fetch("config.json")).json();
const here = new URL("./", location.href).href;
const users = new UserManager({
  ...config,
  redirect_uri: here,
  post_logout_redirect_uri: here,
  loadUserInfo: true, // the profile comes from userinfo too
  automaticSilentRenew: true, // by refresh token, a minute before the access token expires
  accessTokenExpiringNotificationTimeInSeconds: 60,
  revokeTokensOnSignout: true,
});

const show = (user) => {
  document.getElementById("status").textContent = user ? `Signed in as ${user.profile.name}` : "Signed out";
  document.getElementById("profile").textContent = user ? JSON.stringify(user.profile, null, 2) : "";
};
const tell = (error) => (document.getElementById("status").textContent = `It failed: ${error.message}`);
const on = (id, action) => document.getElementById(id).addEventListener("click", () => action().catch(tell));

users.events.addUserLoaded(show);
users.events.addUserUnloaded(() => show(null));
on("sign-in", () => users.signinRedirect());
on("popup", () => users.signinPopup());
on("renew", () => users.signinSilent());
on("revoke", async () => (await users.revokeTokens(), await users.removeUser()));
on("sign-out", () => users.signoutRedirect());

try {
  const answer = new URLSearchParams(location.search);
  if (answer.has("code") || answer.has("error")) await users.signinCallback();
  else if (answer.has("state")) await users.signoutCallback();
  if (location.search) history.replaceState(null, "", here);
  show(await users.getUser());
} catch (error) {
  tell(error);
}
window.users = users; // to look around in the browser's console
