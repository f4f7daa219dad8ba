{{ governance_completeness_day(scoped=false) }}
