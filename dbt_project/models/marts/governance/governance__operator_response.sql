{{ config(
    pre_hook="{{ delete_rows(reached_visits(),
        'm.operator = scope.operator and m.site_code = scope.site_code and m.month = scope.month') }}",
    indexes=[{'columns': ['build_id']}, {'columns': ['month']}],
) }}
{{ governance_operator_response(scoped=true) }}
