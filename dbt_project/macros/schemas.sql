{# Schemas bear the names that users know, without the profile's prefix. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name or target.schema }}
{%- endmacro %}

{# `air__station_hour` is the table `air.station_hour`; `as_of.air__station_hour` keeps its element. #}
{% macro generate_alias_name(custom_alias_name=none, node=none) -%}
    {%- set parts = node.name.split('__') -%}
    {%- if custom_alias_name -%}{{ custom_alias_name }}
    {%- elif 'marts' in node.fqn -%}{{ parts[1:] | join('__') }}
    {%- elif 'as_of' in node.fqn -%}{{ parts[1:] | join('__') }}
    {%- else -%}{{ node.name }}
    {%- endif -%}
{%- endmacro %}

{# Who may read what dbt owns. Default privileges, so that no run has to grant anything again. #}
{% macro prepare_schemas() -%}
    {%- set everyone = 'eco_landing, eco_core, eco_gate, eco_release, eco_steward, eco_engineer' -%}
    {%- set readers = {
        'staging': 'eco_core, eco_gate, eco_engineer',
        'standards': everyone ~ ', eco_auditor',
        'vocabulary': everyone ~ ', eco_auditor',
        'air': 'eco_gate, eco_release, eco_engineer',
        'weather': 'eco_gate, eco_release, eco_engineer',
        'water': 'eco_gate, eco_release, eco_engineer',
        'as_of': 'eco_gate, eco_engineer',
        'governance': 'eco_gate, eco_release, eco_engineer',
    } -%}
    do $prepare$
    begin
        {%- for schema, roles in readers.items() %}
        if to_regnamespace('{{ schema }}') is null then
            create schema {{ schema }};
        end if;
        if not exists (
            select from pg_default_acl where defaclnamespace = '{{ schema }}'::regnamespace
        ) then
            {%- if schema != 'governance' %} {#- the ledger's schema, whose own relations migrations grant #}
            grant usage on schema {{ schema }} to {{ roles }};
            grant select on all tables in schema {{ schema }} to {{ roles }};
            {%- endif %}
            alter default privileges in schema {{ schema }} grant select on tables to {{ roles }};
        end if;
        {%- endfor %}
        {#- The ledger's schema belongs to migrations; only what dbt adds to it is dbt's to grant. #}
        if not exists (
            select from pg_default_acl where defaclnamespace = 'governance'::regnamespace
        ) then
            alter default privileges in schema governance
            grant select on tables to eco_gate, eco_release, eco_engineer, eco_auditor;
        end if;
    end $prepare$
{%- endmacro %}
