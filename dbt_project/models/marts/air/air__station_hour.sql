{{ config(
    pre_hook="{{ delete_scope('air', 'station_hour') }}",
    indexes=[{'columns': ['build_id']}, {'columns': ['period_start']}],
) }}
{{ air_station_hour(scoped=true) }}
