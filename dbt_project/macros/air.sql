{# The six pollutants in the order of vocabulary.property (a test compares). #}
{% macro air_items() %}{{ return(['so2', 'no2', 'co', 'o3', 'pm10', 'pm2_5']) }}{% endmacro %}

{# Another edition asked for: any of its documents by name ('HJ 633-2026', 'GB 3095-2026', '2026'); null: the one in force. #}
{% macro judge_by() -%}
    nullif(current_setting('eco.judge_by', true), '')
{%- endmacro %}

{# Local date of a moment; a moment of a local date. #}
{% macro local_date(moment) -%}
    ({{ moment }} at time zone '{{ var("timezone") }}')::date
{%- endmacro %}

{% macro local_start(day) -%}
    (({{ day }})::timestamp at time zone '{{ var("timezone") }}')
{%- endmacro %}

{# Sites of an element with the code of their area, one row a span; an area whose code is not known goes by its name.
   A site that the city's register knows is what the register says of each span, and in no area outside of them; of any
   other site holds what its feed says last. #}
{% macro site_with_area(element) -%}
    select
        s.feed,
        s.site_code,
        s.site_name,
        s.area_name,
        s.site_type,
        s.takes_part,
        s.valid_from,
        s.valid_to,
        coalesce(s.area_code, a.area_code, s.area_name) as area_code
    from (
        select
            site.feed,
            site.site_code,
            coalesce(register.name, site.site_name) as site_name,
            coalesce(register.area, site.area_name) as area_name,
            case when register.code is null then site.area_code end as area_code,
            coalesce(register.site_type, site.site_type) as site_type,
            coalesce(register.takes_part, site.takes_part) as takes_part,
            greatest(site.valid_from, {{ local_start('register.valid_from') }}) as valid_from,
            least(site.valid_to, {{ local_start('register.valid_to + 1') }}) as valid_to
        from {{ source('core', 'site_current') }} as site
        left join {{ source('core', 'site_register_current') }} as register
            on site.site_code = register.code and register.element = '{{ element }}'
        where site.element = '{{ element }}'
    ) as s
    left join {{ ref('area_alias') }} as a on s.area_name = a.area_name
    where s.valid_from < s.valid_to
{%- endmacro %}

{# For each area of `areas` (a column area_code; null is ''), each edition and the dates on which it judges there.
   The most specific row of air_standard_phase decides: own code, county, prefecture, province, all prefecture-level
   cities, the country; an edition without phases begins everywhere on its own date. With eco.judge_by the asked edition
   judges all dates. #}
{% macro edition_by_area(areas) -%}
    select
        chosen.area_key,
        chosen.edition,
        chosen.limit_standard,
        chosen.aqi_standard,
        chosen.evaluation_standard,
        chosen.aqi_minimum,
        chosen.missing_planned_rule,
        chosen.statistic_decimals,
        chosen.statistic_decimals_co,
        chosen.percent_decimals,
        chosen.day_hours,
        chosen.o3_window_hours,
        chosen.mda8_windows,
        chosen.few_points,
        chosen.good_day_aqi,
        chosen.points_percent,
        chosen.few_points_percent,
        chosen.year_days,
        chosen.month_days,
        chosen.february_days,
        chosen.hour_mark,
        chosen.day_mark,
        chosen.mark,
        chosen.in_force_from,
        chosen.in_force_to,
        case when {{ judge_by() }} is null then chosen.in_force_from else '-infinity'::date end as judges_from,
        case when {{ judge_by() }} is null then chosen.in_force_to else 'infinity'::date end as judges_to
    from (
        select distinct on (areas.area_key, e.edition)
            areas.area_key,
            e.*,
            coalesce(phase.valid_from, e.valid_from) as in_force_from,
            coalesce(phase.valid_to, e.valid_to, 'infinity'::date) as in_force_to
        from (select distinct coalesce(area_code, '') as area_key from {{ areas }}) as areas
        cross join {{ ref('air_rule') }} as e
        left join (
            select
                p.standards,
                p.area_code,
                p.valid_from,
                p.valid_to,
                w.applies_to
            from {{ ref('air_standard_phase') }} as p
            left join {{ ref('area_scope') }} as w on p.area_scope = w.area_scope
            where p.area_code is not null or w.applies_to is not null
        ) as phase
            on strpos(phase.standards, e.aqi_standard) > 0
            and (
                phase.area_code in (
                    areas.area_key,
                    left(areas.area_key, 6),
                    left(areas.area_key, 4) || '00',
                    left(areas.area_key, 2) || '0000'
                )
                or phase.applies_to = 'country'
                or (phase.applies_to = 'prefecture' and areas.area_key ~ '^\d{4}00$' and areas.area_key !~ '0000$')
            )
        order by
            areas.area_key,
            e.edition,
            phase.area_code = areas.area_key desc nulls last,
            phase.area_code = left(areas.area_key, 6) desc nulls last,
            phase.area_code = left(areas.area_key, 4) || '00' desc nulls last,
            phase.area_code is not null desc,
            phase.applies_to = 'prefecture' desc nulls last
    ) as chosen
    where
        -- As a case, which the planner takes for every other row: for comparisons with a setting it expects almost none,
        -- and then reads all editions again for each cell.
        case
            when {{ judge_by() }} is null then true
            else {{ judge_by() }} in (
                chosen.edition, chosen.limit_standard, chosen.aqi_standard, chosen.evaluation_standard
            )
        end
{%- endmacro %}

{# Concentration rounded as the edition says (`rounded.concentration`) and its IAQI (`indexed.iaqi`) of a value, on a scale
   (the alias of a row of air_iaqi_scale). Exactly: multiplied before divided, then up. A breakpoint is the same from both
   sides, so the bucket [low, high) serves. `offset 0` keeps the planner from writing each expression out again wherever
   it is used. #}
{% macro iaqi_of(value, scale) -%}
    cross join lateral (
        select {{ round_half_even(value, scale ~ '.decimals') }} as concentration offset 0
    ) as rounded
    cross join lateral (
        select width_bucket(rounded.concentration, {{ scale }}.concs) as low offset 0
    ) as bucket
    cross join lateral (
        select
            case
                when rounded.concentration > {{ scale }}.overflow_above then {{ scale }}.overflow_iaqi
                when bucket.low = cardinality({{ scale }}.concs)
                    then case
                        when rounded.concentration > {{ scale }}.concs[bucket.low] then {{ scale }}.cap_iaqi
                        else {{ scale }}.iaqis[bucket.low]
                    end
                else
                    {{ scale }}.iaqis[bucket.low] + ceil(
                        ({{ scale }}.iaqis[bucket.low + 1] - {{ scale }}.iaqis[bucket.low])
                        * (rounded.concentration - {{ scale }}.concs[bucket.low])
                        / ({{ scale }}.concs[bucket.low + 1] - {{ scale }}.concs[bucket.low])
                    )::integer
            end as iaqi
        offset 0
    ) as indexed
{%- endmacro %}

{# Evaluation of six IAQI: what is missing, the largest, the index with the rule of the edition, primary pollutants.
   `row` is an alias with iaqi_* and, by `values` (item -> column), the concentrations, aqi_standard, aqi_minimum and
   missing_planned_rule; `planned` is SQL of a text[] or none (all six are planned). Adds the alias `evaluated`. #}
{% macro air_evaluated(row, values, planned=none) -%}
    cross join lateral (
        select
            greatest({% for item in air_items() %}{{ row }}.iaqi_{{ item }}{{ ', ' if not loop.last }}{% endfor %}) as top,
            nullif(concat_ws(
                ','
                {%- for item in air_items() %},
                case
                    when {{ row }}.{{ values.get(item, item) }} is null
                        {%- if planned %} and '{{ item }}' = any({{ planned }}){% endif %} then '{{ item }}'
                end
                {%- endfor %}
            ), '') as missing
        offset 0
    ) as found
    cross join lateral (
        select
            case
                when
                    found.top is null
                    or (
                        found.missing is not null and {{ row }}.missing_planned_rule = 'only_above_100' and found.top <= 100
                    )
                    then null
                else greatest(found.top, {{ row }}.aqi_minimum)
            end as aqi
        offset 0
    ) as allowed
    cross join lateral (
        select
            allowed.aqi,
            case
                when allowed.aqi > 50 then concat_ws(
                    ','
                    {%- for item in air_items() %},
                    case when {{ row }}.iaqi_{{ item }} = found.top then '{{ item }}' end
                    {%- endfor %}
                )
            end as primary_pollutant,
            case
                when allowed.aqi is not null then null
                when {{ row }}.aqi_standard is null then 'no_edition_in_force'
                when found.top is null then 'no_valid_values'
                else 'missing:' || found.missing
            end as aqi_reason
        offset 0
    ) as evaluated
{%- endmacro %}
