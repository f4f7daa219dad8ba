{{ config(
    pre_hook="{{ delete_scope('air', 'area_year') }}",
    indexes=[{'columns': ['build_id']}, {'columns': ['year']}],
) }}
{{ air_area_period('year', scoped=true) }}
