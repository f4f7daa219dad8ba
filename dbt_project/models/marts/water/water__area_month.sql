{{ config(
    pre_hook="{{ delete_rows(water_reached_groups('area'), 'm.area_key = scope.group_key and m.month = scope.month') }}",
    indexes=[{'columns': ['build_id']}, {'columns': ['month']}],
) }}
{{ water_group_month('area', scoped=true) }}
