{{ config(
    pre_hook="{{ delete_scope('weather', 'station_hour') }}",
    indexes=[{'columns': ['build_id']}, {'columns': ['period_start']}],
) }}
{{ weather_station_hour(scoped=true) }}
