{{ config(
    pre_hook="{{ delete_rows(water_reached_groups('basin'), 'm.basin = scope.group_key and m.month = scope.month') }}",
    indexes=[{'columns': ['build_id']}, {'columns': ['month']}],
) }}
{{ water_group_month('basin', scoped=true) }}
