// build.gradle:  implementation "net.openid:appauth:0.11.1"
//                android { defaultConfig { manifestPlaceholders = [appAuthRedirectScheme: {{js redirect_scheme}}] } }
AuthorizationServiceConfiguration.fetchFromIssuer(Uri.parse({{kt issuer}})) { configuration, error ->
    if (configuration == null) return@fetchFromIssuer showFault(error)
    val request = AuthorizationRequest.Builder(
        configuration, {{kt client_id}}, ResponseTypeValues.CODE, Uri.parse({{kt redirect_uri}})
    )
        .setScope({{kt scope}})
        .setAdditionalParameters(mapOf("resource" to {{kt resource}}))
        .build() // AppAuth adds PKCE, state and nonce
    startActivityForResult(AuthorizationService(this).getAuthorizationRequestIntent(request), SIGN_IN)
}

// in onActivityResult: redeem the code
val answer = AuthorizationResponse.fromIntent(data!!)
AuthorizationService(this).performTokenRequest(answer!!.createTokenExchangeRequest()) { tokens, error ->
    Log.i("sign-in", tokens?.accessToken ?: error.toString())
}
