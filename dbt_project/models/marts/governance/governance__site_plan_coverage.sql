{{ config(
    pre_hook="{{ delete_rows(reached_plans(),
        'm.planned_element = scope.planned_element and m.township = scope.township and m.month = scope.month') }}",
    indexes=[{'columns': ['build_id']}, {'columns': ['month']}],
) }}
{{ governance_site_plan_coverage(scoped=true) }}
