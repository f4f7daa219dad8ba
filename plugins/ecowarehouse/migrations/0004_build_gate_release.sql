-- Builds and their scope, verdicts, decisions of people, releases.
create table governance.build (
    build_id        bigint generated always as identity primary key,
    element         text not null,
    step_id         bigint not null references governance.step,
    started_at      timestamptz not null default clock_timestamp(),
    ended_at        timestamptz,
    outcome         text not null default 'running' check (outcome in ('running', 'built', 'failed', 'aborted')),
    code_version    text,
    dbt_invocation  text,
    standards_hash  text,
    known_at        timestamptz
);
create index on governance.build (element, build_id desc);
comment on table governance.build is 'One row is one build of the candidates of one element · 构建';
comment on column governance.build.known_at is 'newest known_at of the batches that went in: the feed''s own clock';

create table governance.build_batch (
    build_id bigint not null references governance.build,
    batch_id integer not null references landing.batch,
    primary key (build_id, batch_id)
);
comment on table governance.build_batch is 'One row is one batch that a build was the first to take up · 构建输入';

create table governance.build_scope (
    build_id    bigint not null references governance.build,
    element     text not null,
    site_code   text not null,
    period_from timestamptz not null,
    period_to   timestamptz not null,
    primary key (build_id, site_code, period_from)
);
comment on table governance.build_scope is
    'One row is a range of periods of one site that a build rebuilds; ranges of a site do not overlap · 构建范围';

create table governance.model_run (
    build_id bigint not null references governance.build,
    model    text not null,
    kind     text not null,
    status   text not null,
    rows     bigint,
    seconds  numeric not null,
    message  text,
    primary key (build_id, model)
);
comment on table governance.model_run is 'One row is one dbt model or test in one build · 模型运行结果';

create table governance.candidate_period (
    build_id     bigint not null references governance.build,
    dataset      text not null,
    period_start timestamptz not null,
    rows         bigint not null,
    checksum     text not null,
    primary key (build_id, dataset, period_start)
);
comment on table governance.candidate_period is
    'One row is a period of a dataset that a build touched, with count and checksum of the candidate · 候选时段';

create table governance.verdict (
    dataset      text not null,
    period_start timestamptz not null,
    build_id     bigint not null references governance.build,
    step_id      bigint not null references governance.step,
    verdict      text not null check (verdict in ('publish', 'publish_with_warnings', 'blocked')),
    period_state text not null check (period_state in ('open', 'closed')),
    declared     integer not null,
    evaluated    integer not null,
    reason       text,
    figures      jsonb not null default '{}',
    failed       jsonb not null default '[]',
    waiver_id    bigint,
    suite_hash   text,
    checksum     text not null,
    decided_at   timestamptz not null default clock_timestamp(),
    primary key (dataset, period_start, build_id)
);
comment on table governance.verdict is 'One row is the gate''s judgement of one period of one dataset in one build · 裁决';

create table governance.dataset_state (
    dataset          text not null,
    period_start     timestamptz not null,
    element          text not null,
    state            text not null check (state in ('waiting', 'open', 'blocked', 'released')),
    judged_build     bigint,
    released_build   bigint,
    released_checksum text,
    primary key (dataset, period_start)
);
create index dataset_state_unresolved on governance.dataset_state (element) where state <> 'released';
comment on table governance.dataset_state is
    'One row is where one period of one dataset stands: what is not finally released is judged again by the next gate · 时段状态';

create table decision.waiver (
    waiver_id   bigint generated always as identity primary key,
    dataset     text not null,
    period_from timestamptz not null,
    period_to   timestamptz not null,
    expectation text not null,
    reason      text not null check (length(trim(reason)) > 0),
    decided_by  text not null check (length(trim(decided_by)) > 0),
    decided_at  timestamptz not null default clock_timestamp(),
    until       timestamptz not null
);
comment on table decision.waiver is 'One row is a named person''s decision to publish in spite of one failed expectation · 放行决定';

create table decision.standards_approval (
    approval_id bigint generated always as identity primary key,
    file        text not null,
    sha256      text not null,
    reason      text not null,
    document    text,
    decided_by  text not null,
    decided_at  timestamptz not null default clock_timestamp()
);
comment on table decision.standards_approval is 'One row is a person''s approval of one content of one standards file · 标准批准';

create table governance.standards_applied (
    file         text primary key,
    relation     text not null,
    csv_sha256   text not null,
    table_hash   text not null,
    applied_at   timestamptz not null default clock_timestamp(),
    step_id      bigint
);
comment on table governance.standards_applied is
    'One row is one seed as it was last loaded: hash of the file and of the table that came of it · 已应用标准';

create table governance.release (
    release_id   bigint generated always as identity primary key,
    element      text not null,
    build_id     bigint not null references governance.build,
    step_id      bigint not null references governance.step,
    released_at  timestamptz not null default clock_timestamp(),
    known_at     timestamptz,
    code_version text,
    inputs       jsonb not null
);
comment on table governance.release is 'One row is one transaction that made candidates readable, with all its inputs · 发布';

create table governance.release_period (
    release_id   bigint not null references governance.release,
    dataset      text not null,
    period_start timestamptz not null,
    verdict      text not null,
    inserted     bigint not null,
    closed       bigint not null,
    primary key (release_id, dataset, period_start)
);
comment on table governance.release_period is 'One row is one period of one dataset in one release · 发布时段';

create function decision.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'decisions are append-only: % on % refused', tg_op, tg_table_name
        using hint = 'A new decision supersedes an old one; both stay.';
end $$;
create trigger append_only before update or delete or truncate on decision.waiver
    for each statement execute function decision.refuse_change();
create trigger append_only before update or delete or truncate on decision.standards_approval
    for each statement execute function decision.refuse_change();

grant select, insert, update on governance.build to eco_dbt;
grant select, insert on governance.build_batch, governance.build_scope, governance.candidate_period to eco_dbt;
grant select, insert, update on governance.model_run to eco_dbt;
grant select, insert on governance.verdict to eco_gate;
grant select, insert, update on governance.dataset_state to eco_gate, eco_release, eco_dbt;
grant select, insert, update, delete on governance.standards_applied to eco_dbt;
grant select, insert on governance.release, governance.release_period to eco_release;
grant select, insert on decision.waiver, decision.standards_approval to eco_steward;
grant select on all tables in schema governance to
    eco_landing, eco_core, eco_dbt, eco_gate, eco_release, eco_steward, eco_engineer, eco_auditor;
grant select on all tables in schema decision to
    eco_core, eco_dbt, eco_gate, eco_release, eco_steward, eco_engineer, eco_auditor;
