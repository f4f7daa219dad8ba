{{ weather_station_hour(scoped=false) }}
