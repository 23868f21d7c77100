// npm install react-oidc-context oidc-client-ts
import { AuthProvider, useAuth } from "react-oidc-context";

const settings = {
  authority: {{js issuer}},
  client_id: {{js client_id}},
  redirect_uri: {{js redirect_uri}},
  post_logout_redirect_uri: {{js post_logout_redirect_uri}},
  scope: {{js scope}},
  resource: {{js resource}},
  loadUserInfo: true, // names and addresses are at userinfo, not in the ID token
  onSigninCallback: () => window.history.replaceState(null, "", window.location.pathname),
};

function SignIn() {
  const auth = useAuth();
  if (auth.isLoading) return <p>One moment</p>;
  if (auth.error) return <p>It failed: {auth.error.message}</p>;
  if (!auth.isAuthenticated) return <button onClick={() => auth.signinRedirect()}>Sign in</button>;
  return <button onClick={() => auth.signoutRedirect()}>Sign out {auth.user.profile.name}</button>;
}

export const App = () => <AuthProvider {...settings}><SignIn /></AuthProvider>;
