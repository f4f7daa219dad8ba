-- Decisions of people: one table for all kinds, one for their ends. Both are append-only: a new decision supersedes an
-- old one, a revocation ends it, and all of it stays.
create table decision.decision (
    decision_id    bigint generated always as identity primary key,
    kind           text not null check (kind in ('review', 'correction', 'embargo', 'withdrawal', 'disagreement')),
    element        text not null,
    feed           text,
    site_code      text,
    channel        text,
    dataset        text,
    row_scope      jsonb not null default '{}' check (jsonb_typeof(row_scope) = 'object'),
    period_from    timestamptz not null,
    period_to      timestamptz not null check (period_to > period_from),
    review_stage   text check (review_stage in ('raw', 'auto_checked', 'first_review', 'second_review', 'final')),
    validity       text check (validity in ('valid', 'invalid', 'not_judged')),
    invalid_reason text,
    value          numeric,
    value_text     text,
    withdrawal     text check (withdrawal in ('superseded', 'retracted')),
    reason         text not null check (length(trim(reason)) > 0),
    document       text,
    decided_by     text not null check (length(trim(decided_by)) > 0),
    decided_at     timestamptz not null default clock_timestamp(),
    until          timestamptz check (until > decided_at),
    step_id        bigint not null,
    check ((kind in ('review', 'correction')) = (feed is not null)),
    check ((kind in ('review', 'correction')) = (dataset is null)),
    check ((kind in ('review', 'correction')) <= (site_code is not null and until is null)),
    check ((kind = 'review') = (review_stage is not null and validity is not null)),
    check ((validity is not distinct from 'invalid') = (invalid_reason is not null)),
    check ((kind = 'correction') = (num_nonnulls(value, value_text) = 1)),
    check ((kind = 'correction') <= (channel is not null)),
    check ((kind = 'withdrawal') = (withdrawal is not null)),
    check ((kind in ('embargo', 'disagreement')) <= (until is not null))
);
create index on decision.decision (feed, site_code) where dataset is null;
create index on decision.decision (dataset) where dataset is not null;

comment on table decision.decision is
    'One row is one decision of a named person: review, correction, embargo, withdrawal, known disagreement · 人工决定';
comment on column decision.decision.channel is 'null: all channels of the site · 空为全部通道';
comment on column decision.decision.row_scope is
    'key columns and their values; {} means all rows of the periods · 行范围（键列与值）';
comment on column decision.decision.value is 'of a correction: the value that holds instead · 更正值';
comment on column decision.decision.decided_at is 'a said-at: eco.as_of compares with it · 决定时间';
comment on column decision.decision.until is 'the decision ends by itself at this moment; null: never · 截止时间';
comment on column decision.decision.invalid_reason is 'a word of vocabulary.invalid_reason · 无效原因';

create table decision.revocation (
    revocation_id bigint generated always as identity primary key,
    decision_id   bigint unique references decision.decision,
    waiver_id     bigint unique references decision.waiver,
    reason        text not null check (length(trim(reason)) > 0),
    revoked_by    text not null check (length(trim(revoked_by)) > 0),
    revoked_at    timestamptz not null default clock_timestamp(),
    step_id       bigint not null,
    check (num_nonnulls(decision_id, waiver_id) = 1)
);
comment on table decision.revocation is
    'One row ends one decision or waiver before its time; the decision stays · 撤销决定';

create trigger append_only before update or delete or truncate on decision.decision
    for each statement execute function decision.refuse_change();
create trigger append_only before update or delete or truncate on decision.revocation
    for each statement execute function decision.refuse_change();

-- What holds: as of eco.as_of when that is set, for a decision is said at a moment like a value.
create view decision.in_force as
select d.*
from decision.decision as d
left join decision.revocation as r on r.decision_id = d.decision_id
where d.decided_at <= core.as_of()
    and (r.revoked_at is null or r.revoked_at > core.as_of())
    and (d.until is null or d.until > least(core.as_of(), statement_timestamp()));
comment on view decision.in_force is
    'One row is a decision that holds (as of eco.as_of when set) · 现行决定';

create view decision.review_current as
select decision_id, element, feed, site_code, channel, period_from, period_to, review_stage, validity, invalid_reason,
    decided_by, decided_at
from decision.in_force where kind = 'review';
comment on view decision.review_current is 'One row is a review that holds; the newest of a value decides · 现行审核';

-- Never as of an earlier moment: what is retracted now was never to be read.
create view decision.retraction as
select d.decision_id, d.dataset, d.row_scope, d.period_from, d.period_to
from decision.decision as d
left join decision.revocation as r on r.decision_id = d.decision_id
where d.withdrawal = 'retracted' and r.revoked_at is null
    and (d.until is null or d.until > statement_timestamp());
comment on view decision.retraction is 'One row is a retraction that holds now, whatever moment is asked for · 撤回';

create view decision.withdrawal as
select d.decision_id, d.dataset, d.row_scope, d.period_from, d.period_to, d.withdrawal as kind, d.decided_at
from decision.decision as d
left join decision.revocation as r on r.decision_id = d.decision_id
where d.kind = 'withdrawal' and r.revoked_at is null;
comment on view decision.withdrawal is 'One row is a withdrawal that nobody revoked; exports read it · 撤下决定';

create view decision.waiver_current as
select w.*
from decision.waiver as w
left join decision.revocation as r on r.waiver_id = w.waiver_id
where r.revoked_at is null and w.until > clock_timestamp();
comment on view decision.waiver_current is 'One row is a waiver that holds · 现行放行决定';

create view decision.entry as
select d.decision_id::text as reference, d.kind, d.element, coalesce(d.dataset, d.feed) as subject,
    concat_ws(' ', d.site_code, d.channel, nullif(d.row_scope::text, '{}')) as scope, d.period_from, d.period_to,
    concat_ws(' ', d.withdrawal, d.review_stage, d.validity, d.invalid_reason, d.value::text, d.value_text) as says,
    d.reason, d.document, d.decided_by, d.decided_at, d.until, r.revoked_by, r.revoked_at, r.reason as revoked_for,
    r.revoked_at is null and (d.until is null or d.until > statement_timestamp()) as holds
from decision.decision as d left join decision.revocation as r on r.decision_id = d.decision_id
union all
select 'waiver/' || w.waiver_id, 'waiver', split_part(w.dataset, '.', 1), w.dataset, null, w.period_from, w.period_to,
    w.expectation, w.reason, null, w.decided_by, w.decided_at, w.until, r.revoked_by, r.revoked_at,
    r.reason as revoked_for, r.revoked_at is null and w.until > statement_timestamp()
from decision.waiver as w left join decision.revocation as r on r.waiver_id = w.waiver_id;
comment on view decision.entry is 'One row is one decision of any kind, waivers included, with its end · 全部决定';

-- Moments at which something that people decided begins or ceases to hold: reasons for a run.
create view decision.event as
select e.element, m.at
from decision.entry as e
cross join lateral (
    values (e.decided_at), (e.revoked_at), (case when e.until < coalesce(e.revoked_at, 'infinity') then e.until end)
) as m (at)
where m.at is not null;
comment on view decision.event is
    'One row is a moment at which a decision begins or ends, by revocation or by itself · 决定生效与失效时刻';

-- Beside the data: what people decided about a released dataset.
create view shared.decision as
select dataset, kind, row_scope, period_from, period_to, withdrawal, reason, document, decided_by, decided_at, until
from decision.in_force where dataset is not null;
comment on view shared.decision is
    'One row is a decision that holds for a dataset: withdrawn, under embargo, known to disagree · 数据集相关决定';

-- A decision about values has to enter core.change, or no build would take it up; only eco_core writes there.
create function core.touch(
    p_element text, p_feed text, p_site text, p_from timestamptz, p_to timestamptz, p_step bigint
)
returns bigint language sql security definer set search_path = pg_catalog, core as $$
    insert into core.change (element, feed, site_code, period_from, period_to, step_id)
    values (p_element, p_feed, p_site, p_from, p_to, p_step) returning change_id
$$;
comment on function core.touch is 'asks builds to take up a range of a site whose values people decided about';
revoke execute on function core.touch from public;
grant execute on function core.touch to eco_steward;

alter table governance.step drop constraint step_kind_check;
alter table governance.step add constraint step_kind_check check (kind in
    ('core', 'build', 'gate', 'release', 'standards', 'recompute', 'restore', 'decision', 'export'));

-- Corrections as received: the bytes are kept by hash, a row here is what they say.
create table landing.correction (
    batch_id   integer not null references landing.batch,
    row_number bigint not null,
    decision_id bigint not null,
    feed       text not null,
    site_code  text not null,
    channel    text not null,
    period_start text not null,
    value      text,
    value_text text,
    mark       text,
    primary key (batch_id, row_number)
);
create index on landing.correction (feed, site_code, channel);
comment on table landing.correction is
    'One row is one cell that a correction, or the end of one (mark revoked), says anew · 更正记录';

create index series_reviewed on core.series (element) where series_kind = 'reviewed';

grant usage on schema decision to eco_landing;
grant select, insert on decision.decision, decision.revocation to eco_steward;
grant select on all tables in schema decision to
    eco_landing, eco_core, eco_dbt, eco_gate, eco_release, eco_steward, eco_engineer, eco_auditor;
grant select on shared.decision to eco_department, eco_engineer, eco_gate, eco_auditor;
grant insert on landing.correction to eco_landing;
grant select on landing.correction to eco_landing, eco_core, eco_dbt, eco_gate, eco_engineer;
grant usage on schema landing to eco_steward;
grant select on landing.batch to eco_steward;
grant update (delivered_to) on governance.notice to eco_gate, eco_release;
