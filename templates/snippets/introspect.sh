curl -sS -u {{sh introspecting_client}} \
  --data-urlencode token=THE_TOKEN \
  {{sh introspection_endpoint}}
