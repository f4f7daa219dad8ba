{{ config(
    pre_hook="{{ delete_rows(water_scope_months(), 'm.section_code = scope.section_code and m.month = scope.month') }}",
    indexes=[{'columns': ['build_id']}, {'columns': ['month']}],
) }}
{{ water_section_month_item(scoped=true) }}
