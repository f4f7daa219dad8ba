{{ config(
    pre_hook="{{ delete_scope('air', 'area_month') }}",
    indexes=[{'columns': ['build_id']}, {'columns': ['month']}],
) }}
{{ air_area_period('month', scoped=true) }}
