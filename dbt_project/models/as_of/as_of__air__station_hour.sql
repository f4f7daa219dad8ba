{{ air_station_hour(scoped=false) }}
