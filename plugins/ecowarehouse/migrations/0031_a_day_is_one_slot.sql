-- A feed of days promises one value a day, however long summer time or another city's clock makes a step of a day.
create or replace function core.slots_of(day date, zone text, boundary interval, averaging interval) returns setof timestamptz
language plpgsql immutable parallel safe rows 24 as $$
begin
    if averaging >= interval '1 day' then
        return next core.day_start(day, zone, boundary);
    else
        return query select generate_series(core.day_start(day, zone, boundary),
            core.day_start(day + 1, zone, boundary) - interval '1 microsecond', averaging);
    end if;
end $$;
