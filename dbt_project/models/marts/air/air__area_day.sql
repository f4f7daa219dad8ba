{{ config(
    pre_hook="{{ delete_scope('air', 'area_day') }}",
    indexes=[{'columns': ['build_id']}, {'columns': ['day']}],
) }}
{{ air_area_day(scoped=true) }}
