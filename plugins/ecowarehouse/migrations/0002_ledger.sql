-- The ledger: one row per attempt, committed before the first byte or the first statement of work.
create table landing.batch (
    batch_id         integer generated always as identity primary key,
    feed             text not null,
    source           text not null,
    form             text,
    known_at         timestamptz,
    known_at_from    text,
    sha256           text,
    content_batch_id integer references landing.batch,
    period_from      timestamptz,
    period_to        timestamptz,
    started_at       timestamptz not null default clock_timestamp(),
    ended_at         timestamptz,
    outcome          text not null default 'running'
        check (outcome in ('running', 'loaded', 'unchanged', 'partial', 'rejected', 'failed', 'aborted')),
    reason           text,
    error            text,
    rows             bigint not null default 0,
    rejects          bigint not null default 0,
    bytes            bigint,
    bytes_address    text,
    etag             text,
    run_id           text,
    code_version     text,
    core_step_id     bigint,
    check (outcome not in ('loaded', 'unchanged', 'partial') or (known_at is not null and content_batch_id is not null))
);
create index on landing.batch (feed, known_at desc nulls last);
create index on landing.batch (feed, sha256);
create index batch_without_core on landing.batch (feed)
    where core_step_id is null and outcome in ('loaded', 'unchanged', 'partial');
create index batch_running on landing.batch (feed) where outcome = 'running';
create index on landing.batch (feed, period_to, period_from);

comment on table landing.batch is
    'One row is one attempt to receive one delivery of a feed, failures too · 接收台账';
comment on column landing.batch.known_at is 'when the source said so; --as-of compares with this · 来源知悉时间';
comment on column landing.batch.content_batch_id is
    'the batch whose landed rows are this one''s content: itself, or the first batch with the same bytes';
comment on column landing.batch.period_to is 'end of the newest period in the content, exclusive';
comment on column landing.batch.core_step_id is 'the step that brought this sighting into core; null while it waits';

create table landing.reject (
    batch_id    integer not null references landing.batch,
    row_number  bigint,
    column_name text,
    reason      text not null,
    detail      text,
    received    text
);
create index on landing.reject (batch_id);
comment on table landing.reject is
    'One row is one received row, or one cell of it (column_name), that was not taken, with the reason · 拒收记录';

create table governance.step (
    step_id      bigint generated always as identity primary key,
    kind         text not null check (kind in
        ('core', 'build', 'gate', 'release', 'standards', 'recompute', 'restore')),
    subject      text not null,
    build_id     bigint,
    run_id       text,
    started_at   timestamptz not null default clock_timestamp(),
    ended_at     timestamptz,
    outcome      text not null default 'running' check (outcome in
        ('running', 'done', 'nothing_to_do', 'superseded', 'blocked', 'failed', 'aborted')),
    figures      jsonb not null default '{}',
    error        text,
    code_version text
);
create index step_running on governance.step (subject) where outcome = 'running';
create index on governance.step (kind, subject, step_id desc);
comment on table governance.step is 'One row is one attempt of one step after landing · 步骤台账';

create view governance.attempt as
select 'land' as kind, feed as subject, batch_id::bigint as attempt_id, run_id, started_at, ended_at, outcome,
       coalesce(error, reason) as error
from landing.batch
union all
select kind, subject, step_id, run_id, started_at, ended_at, outcome, error
from governance.step;
comment on view governance.attempt is 'One row is one attempt of any step, landing included · 全部尝试';

create table governance.notice (
    notice_id    bigint generated always as identity primary key,
    noticed_at   timestamptz not null default clock_timestamp(),
    kind         text not null check (kind in ('failure', 'freshness', 'blocked', 'new_site')),
    subject      text not null,
    message      text not null,
    delivered_to text[] not null default '{}'
);
comment on table governance.notice is 'One row is one notice sent to people · 通知';

grant select, insert, update on landing.batch to eco_landing;
grant update (core_step_id) on landing.batch to eco_core;
grant select, insert on landing.reject to eco_landing, eco_core;
grant select on all tables in schema landing to eco_landing, eco_core, eco_dbt, eco_gate, eco_release, eco_engineer;
grant select, insert, update on governance.step to eco_landing, eco_core, eco_dbt, eco_gate, eco_release, eco_steward;
grant select, insert on governance.notice to eco_landing, eco_core, eco_dbt, eco_gate, eco_release;
grant select on all tables in schema governance to
    eco_landing, eco_core, eco_dbt, eco_gate, eco_release, eco_steward, eco_engineer, eco_auditor;
