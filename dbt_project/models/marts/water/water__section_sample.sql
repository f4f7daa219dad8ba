{{ config(
    pre_hook="{{ delete_rows(build_scope('water'), 'm.section_code = scope.site_code and m.sampled_at >= scope.period_from and m.sampled_at < scope.period_to') }}",
    indexes=[{'columns': ['build_id']}, {'columns': ['sampled_on']}],
) }}
{{ water_section_sample(scoped=true) }}
