{{ air_station_day(scoped=false) }}
