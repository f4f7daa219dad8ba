{# Every expected value is in exactly one class; what missed a class, or is in two, stands here. #}
{% test classes_add_up(model) %}
select *
from {{ model }}
where
    expected_count <> received_count + source_missing_count + platform_missing_count + not_required_count + awaited_count
    or received_count <> valid_count + suspect_count + marked_invalid_count + invalidated_by_review_count
    or source_missing_count
    <> sentinel_count + not_in_answer_count + not_offered_count + source_down_count + unusable_answer_count
    or platform_missing_count <> attempt_failed_count + not_asked_count
    or least(
        valid_count, suspect_count, marked_invalid_count, invalidated_by_review_count, sentinel_count,
        not_in_answer_count, not_offered_count, source_down_count, unusable_answer_count, attempt_failed_count,
        not_asked_count, not_required_count, awaited_count
    ) < 0
{% endtest %}
