{{ governance_operator_response(scoped=false) }}
