-- Verdicts are history: the same build may be judged again (its period closed, somebody waived), and both stay.
alter table governance.verdict drop constraint verdict_pkey;
alter table governance.verdict add column verdict_id bigint generated always as identity primary key;
create index verdict_of_period on governance.verdict (dataset, period_start, build_id, verdict_id desc);
comment on table governance.verdict is
    'One row is one judgement of the gate: a period of a dataset in a build; the newest of them holds · 裁决';

create view governance.verdict_current as
select distinct on (dataset, period_start, build_id) *
from governance.verdict
order by dataset, period_start, build_id, verdict_id desc;
comment on view governance.verdict_current is
    'One row is the judgement that holds for a period of a dataset in a build · 现行裁决';

comment on column governance.dataset_state.released_checksum is
    'what was released: checksum of the candidate, and of the condition by which rows of it were held back';

create index on governance.release (element, release_id desc);
create index on governance.release_period (dataset, period_start, release_id desc);

-- A person's decision is shown beside the data it let through.
create view shared.dataset_period as
select s.dataset, s.period_start, s.state, v.verdict, v.period_state, v.reason, v.failed, v.decided_at,
       w.decided_by as waived_by, w.reason as waived_because, w.until as waived_until
from governance.dataset_state s
join governance.verdict_current v
  on v.dataset = s.dataset and v.period_start = s.period_start and v.build_id = s.released_build
left join decision.waiver w on w.waiver_id = v.waiver_id;
comment on view shared.dataset_period is
    'One row is a released period with the judgement that let it through, warnings and waivers included · 发布时段与裁决';

grant select on governance.verdict_current to
    eco_landing, eco_core, eco_dbt, eco_gate, eco_release, eco_steward, eco_engineer, eco_auditor;
grant select on shared.dataset_period to eco_department, eco_engineer, eco_gate, eco_auditor;
