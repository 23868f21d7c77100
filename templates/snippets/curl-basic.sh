curl -sS -u {{sh user_and_secret}} \
  -d grant_type=client_credentials \
  --data-urlencode {{sh resource_parameter}} \
  {{sh token_endpoint}}
