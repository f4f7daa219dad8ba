-- One row is the scale of one pollutant and averaging period in one edition: breakpoints as arrays, what happens above.
with pollutant_scale as (
    select
        b.standard,
        p.property,
        b.avg_period,
        array_agg(b.conc order by b.iaqi) as concs,
        array_agg(b.iaqi order by b.iaqi) as iaqis,
        max(b.decimals) as decimals,
        string_agg(distinct b.mark, '; ' order by b.mark) as mark
    from {{ ref('air_iaqi_breakpoints') }} as b
    inner join {{ ref('standard_pollutant') }} as p on b.pollutant = p.pollutant
    group by b.standard, p.property, b.avg_period
),

overflow as (
    select
        r.standard,
        p.property,
        r.avg_period,
        r.conc_gt,
        r.iaqi
    from {{ ref('air_iaqi_overflow_rules') }} as r
    inner join {{ ref('standard_pollutant') }} as p on r.pollutant = p.pollutant
),

cap as (
    select
        standard,
        iaqi
    from {{ ref('air_iaqi_overflow_rules') }}
    where action = 'cap'
)

select
    s.standard,
    s.property,
    s.avg_period,
    s.concs,
    s.iaqis,
    s.decimals,
    o.conc_gt as overflow_above,
    o.iaqi as overflow_iaqi,
    c.iaqi as cap_iaqi,
    s.mark
from pollutant_scale as s
left join overflow as o on s.standard = o.standard and s.property = o.property and s.avg_period = o.avg_period
left join cap as c on s.standard = c.standard
