-- One row is the scale of one item in one kind of water body: the limits of classes I to V in the order in which
-- width_bucket takes them. `direction` is -1 where less is better: both value and limits are then taken negative.
-- Dissolved oxygen of class I: the text allows saturation instead; the published class uses the concentration alone.
select
    l.standard,
    i.property,
    l.waterbody,
    l.valid_from,
    l.valid_to,
    case when bool_or(l.limit_kind = 'max') then -1 else 1 end as direction,
    array_agg(l."limit" * case l.limit_kind when 'max' then -1 else 1 end order by c.class desc)
        filter (where l.limit_kind in ('max', 'min')) as limits,
    max(l.limit_lo) as range_lo,
    max(l.limit_hi) as range_hi,
    max(l."limit") filter (where l.limit_kind = 'max' and c.class = 3) as limit_iii,
    string_agg(distinct l.mark, '; ' order by l.mark) as mark
from {{ ref('water_gb3838_table1') }} as l
inner join {{ ref('water_item') }} as i on l.item = i.item and i.in_class = 1
inner join {{ ref('water_class_label') }} as c on l.class = c.label
where l.in_class = 1 and coalesce(l.variant, '') not like 'saturation%'
group by l.standard, i.property, l.waterbody, l.valid_from, l.valid_to
