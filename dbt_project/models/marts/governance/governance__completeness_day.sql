{{ config(
    pre_hook="{{ delete_rows(completeness_spans(scoped=true), 'm.feed = scope.feed and m.day >= scope.day_from and m.day < scope.day_to') }}",
    indexes=[{'columns': ['build_id']}, {'columns': ['day']}],
) }}
{{ governance_completeness_day(scoped=true) }}
