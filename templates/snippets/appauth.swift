// Package: https://github.com/openid/AppAuth-iOS; the scheme in Info.plist (CFBundleURLSchemes): {{text redirect_scheme}}
OIDAuthorizationService.discoverConfiguration(forIssuer: URL(string: {{js issuer}})!) { configuration, error in
    guard let configuration else { return print(error!.localizedDescription) }
    let request = OIDAuthorizationRequest(
        configuration: configuration,
        clientId: {{js client_id}},
        clientSecret: nil,
        scopes: {{js scopes}},
        redirectURL: URL(string: {{js redirect_uri}})!,
        responseType: OIDResponseTypeCode,
        additionalParameters: ["resource": {{js resource}}]
[[no_resource]]        additionalParameters: nil
    ) // AppAuth adds PKCE, state and nonce
    appDelegate.currentAuthorizationFlow = OIDAuthState.authState(byPresenting: request, presenting: self) { state, error in
        print(state?.lastTokenResponse?.accessToken ?? error!.localizedDescription)
    }
}
