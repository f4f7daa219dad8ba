{{ water_group_month('basin', scoped=false) }}
