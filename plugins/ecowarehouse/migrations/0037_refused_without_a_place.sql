-- What was refused and names no site or no period is in no site's count: it is counted by the day on which it came.
create view governance.unplaced_reject as
select delivery.feed, delivery.moment, reject.batch_id, reject.row_number, reject.column_name, reject.reason
from governance.delivery as delivery
inner join landing.reject as reject on delivery.batch_id = reject.batch_id
where
    reject.site_code is null or reject.period_start is null
    or not exists (
        select from core.series as series where series.feed = delivery.feed and series.site_code = reject.site_code
    );
comment on view governance.unplaced_reject is
    'One row is one row or cell that was not taken and is of no known site and period, at the moment it came · 无法定位的拒收';
grant select on governance.unplaced_reject to
    eco_landing, eco_core, eco_dbt, eco_gate, eco_release, eco_steward, eco_engineer, eco_auditor;

-- A moment at which a day begins is of that day.
create or replace function governance.touch(p_feed text, p_periods tstzmultirange, p_batch integer, p_step bigint)
returns void language sql security definer set search_path = pg_catalog, core as $$
    insert into core.change (element, feed, site_code, period_from, period_to, batch_id, step_id)
    select 'governance', whole.feed, whole.feed, lower(days.period), upper(days.period), p_batch, p_step
    from (
        select f.feed, range_agg(tstzrange(
            core.day_start(core.day_of(lower(asked.period), f.timezone, f.day_boundary), f.timezone, f.day_boundary),
            core.day_start(core.day_of(
                upper(asked.period) - case when upper_inc(asked.period) then interval '0' else interval '1 microsecond' end,
                f.timezone, f.day_boundary) + 1, f.timezone, f.day_boundary)
        )) as periods
        from core.feed as f
        cross join unnest(p_periods) as asked (period)
        where f.feed = p_feed and isfinite(lower(asked.period)) and isfinite(upper(asked.period))
        group by f.feed
    ) as whole
    cross join lateral unnest(whole.periods) as days (period)
$$;
