{{ air_area_period('month', scoped=false) }}
