ISSUER={{sh issuer}}
CLIENT_ID={{sh client_id}}
CLIENT_SECRET={{sh client_secret}}
