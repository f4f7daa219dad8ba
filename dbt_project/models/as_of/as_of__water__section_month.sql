{{ water_section_month(scoped=false) }}
