{{ water_group_month('area', scoped=false) }}
