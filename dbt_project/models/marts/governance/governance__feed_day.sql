{{ config(
    pre_hook="{{ delete_rows(completeness_spans(scoped=true), 'm.feed = scope.feed and m.day >= scope.day_from and m.day < scope.day_to') }}",
    indexes=[{'columns': ['build_id']}],
) }}
{{ governance_feed_day(ref('governance__completeness_day'), scoped=true) }}
