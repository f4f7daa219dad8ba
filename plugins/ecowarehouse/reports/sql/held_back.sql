-- What the gate holds back.
select
    s.dataset,
    s.period_start,
    v.reason
from governance.dataset_state as s
left join governance.verdict_current as v
    on s.dataset = v.dataset and s.period_start = v.period_start and s.judged_build = v.build_id
where s.state = 'blocked'
order by s.dataset, s.period_start
