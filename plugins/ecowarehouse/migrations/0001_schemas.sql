-- Schemas and who may enter them. Tables that dbt does not own belong to eco_owner.
create schema landing;
create schema core;
create schema governance;
create schema decision;
create schema published;
create schema shared;
create schema open;

comment on schema landing is 'rows and bytes as received, one ledger row per attempt · 原始接收层';
comment on schema core is 'series, observations in every version, quality flags · 核心层';
comment on schema governance is 'steps, builds, scopes, verdicts, releases · 治理';
comment on schema decision is 'decisions of people: who, when, why · 人工决定';
comment on schema published is 'history of everything that was readable · 发布历史';
comment on schema shared is 'released data for departments · 部门共享';
comment on schema open is 'released data for the public · 公开数据';

grant usage, create on schema landing to eco_landing;
grant usage, create on schema published, shared, open to eco_release;
grant usage on schema landing to eco_core, eco_dbt, eco_gate, eco_release, eco_engineer;
grant usage on schema core to eco_landing, eco_core, eco_dbt, eco_gate, eco_release, eco_steward, eco_engineer;
grant usage on schema governance to eco_landing, eco_core, eco_dbt, eco_gate, eco_release, eco_steward, eco_engineer;
grant usage on schema decision to eco_dbt, eco_gate, eco_release, eco_steward, eco_engineer, eco_core;
grant usage on schema published to eco_gate, eco_engineer, eco_auditor;
grant usage on schema shared to eco_gate, eco_engineer, eco_department, eco_auditor;
grant usage on schema open to eco_gate, eco_engineer, eco_department, eco_public, eco_auditor;
