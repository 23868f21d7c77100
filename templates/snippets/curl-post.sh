curl -sS -d grant_type=client_credentials \
  --data-urlencode {{sh client_id_parameter}} \
  --data-urlencode {{sh client_secret_parameter}} \
  --data-urlencode {{sh resource_parameter}} \
  {{sh token_endpoint}}
