{{ air_area_day(scoped=false) }}
