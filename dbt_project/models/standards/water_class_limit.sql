-- One row is the limit of one class for one item that enters the class, in one kind of water body.
-- Dissolved oxygen of class I: the text allows saturation instead; the published class uses the concentration alone.
select
    l.standard,
    i.property,
    i.sort_order,
    l.waterbody,
    c.class,
    l.limit_kind,
    l."limit" as limit_value,
    l.limit_lo,
    l.limit_hi,
    l.valid_from,
    l.valid_to,
    l.mark
from {{ ref('water_gb3838_table1') }} as l
inner join {{ ref('water_item') }} as i on l.item = i.item and i.in_class = 1
inner join {{ ref('water_class_label') }} as c on l.class = c.label
where l.in_class = 1 and coalesce(l.variant, '') not like 'saturation%'
