{{ config(
    pre_hook="{{ delete_scope('air', 'station_day') }}",
    indexes=[{'columns': ['build_id']}, {'columns': ['day']}, {'columns': ['area_code', 'day']}],
) }}
{{ air_station_day(scoped=true) }}
