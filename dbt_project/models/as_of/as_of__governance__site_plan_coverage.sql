{{ governance_site_plan_coverage(scoped=false) }}
