{{ water_section_month_item(scoped=false) }}
