{# SQL of a view of `as_of`, less rows that are retracted now: auditors see them, and eco_dbt, which compares the view with
   the mart. The dataset's face says its key and period. #}
{% macro without_retracted(model, sql) -%}
    {%- set dataset = model.name.split('__')[1:] | join('.') -%}
    {%- for exposure in graph.exposures.values() -%}
        {%- set meta = exposure.config.meta or exposure.meta -%}
        {%- if meta.dataset == dataset -%}
            {%- set column = 'whole.' ~ meta.period.column -%}
            {%- if meta.period.grain == 'hour' -%}{%- set start = column -%}
            {%- elif meta.period.grain == 'year' -%}{%- set start = local_start('make_date(' ~ column ~ ', 1, 1)') -%}
            {%- else -%}{%- set start = local_start(column) -%}
            {%- endif %}
select whole.*
from (
{{ sql }}
) as whole
where
    current_user = 'eco_dbt'
    or pg_has_role(current_user, 'eco_auditor', 'usage')
    or not exists (
        select from decision.retraction as d
        where
            d.dataset = '{{ dataset }}' and {{ start }} >= d.period_from and {{ start }} < d.period_to
            and jsonb_build_object(
                {%- for name in meta.key if name != meta.period.column %}
                '{{ name }}', whole.{{ name }}{{ ',' if not loop.last }}
                {%- endfor %}
            ) @> d.row_scope
    )
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}

{# A view that stays where it is: dbt's own view is renamed and dropped with CASCADE, and every view on it with it.
   Only a change of columns still drops it; a deployment makes all views again in order. #}
{% materialization standing_view, adapter='postgres' %}
    {%- set target_relation = this.incorporate(type='view') -%}
    {%- if 'as_of' in model.fqn -%}
        {%- set sql = without_retracted(model, sql) or sql -%}
    {%- endif -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% call statement('main') -%}
        do $standing_view$
        begin
            create or replace view {{ target_relation }} as {{ sql }};
        exception when invalid_table_definition then
            drop view {{ target_relation }} cascade;
            create view {{ target_relation }} as {{ sql }};
        end $standing_view$
    {%- endcall %}
    {% do persist_docs(target_relation, model) %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do adapter.commit() %}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
