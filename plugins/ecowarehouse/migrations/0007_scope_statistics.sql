-- A build analyses its scope: without statistics of it the planner takes a national scope for a single row.
grant maintain on governance.build_scope to eco_dbt;
