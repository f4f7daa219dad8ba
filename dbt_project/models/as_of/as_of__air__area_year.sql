{{ air_area_period('year', scoped=false) }}
