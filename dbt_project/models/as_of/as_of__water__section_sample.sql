{{ water_section_sample(scoped=false) }}
