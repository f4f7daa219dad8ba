-- A large first content goes into a partition that has no key yet: its key is built once, in half the time that it takes
-- to grow it row by row. Both happen in the transaction that makes the partition, so nobody ever sees it without.
drop function core.ensure_partitions(text, timestamptz, timestamptz, text);

create function core.ensure_partitions(
    p_element text, p_from timestamptz, p_to timestamptz, p_zone text, p_keys boolean default true
)
returns integer language plpgsql security definer set search_path = pg_catalog, core as $$
declare
    grain text := case p_element when 'pollution' then 'month' else 'year' end;
    parent text := 'observation_' || p_element;
    leaf text;
    lower_bound timestamp;
    made integer := 0;
begin
    if p_element !~ '^[a-z][a-z_]*$' then
        raise exception 'not an element: %', p_element;
    end if;
    perform pg_advisory_xact_lock(hashtext('core.ensure_partitions'));
    if to_regclass(format('core.%I', parent)) is null then
        execute format('create table core.%I partition of core.observation for values in (%L) partition by range (period_start)',
                       parent, p_element);
    end if;
    lower_bound := date_trunc(grain, p_from at time zone p_zone);
    while lower_bound at time zone p_zone < p_to loop
        leaf := parent || '_' || to_char(lower_bound, case grain when 'year' then 'YYYY' else 'YYYYMM' end);
        if to_regclass(format('core.%I', leaf)) is null then
            execute format('create table core.%I (like core.%I including defaults including constraints)', leaf, parent);
            execute format('create trigger never_truncated before truncate on core.%I
                            for each statement execute function core.refuse_change()', leaf);
            execute format('alter table core.%I attach partition core.%I for values from (%L) to (%L)',
                           parent, leaf, lower_bound at time zone p_zone,
                           (lower_bound + ('1 ' || grain)::interval) at time zone p_zone);
            execute format('grant select on core.%I to eco_engineer', leaf);
            made := made + 1;
        end if;
        lower_bound := lower_bound + ('1 ' || grain)::interval;
    end loop;
    if p_keys then
        perform core.ensure_keys(p_element);
    end if;
    return made;
end $$;

create function core.ensure_keys(p_element text)
returns integer language plpgsql security definer set search_path = pg_catalog, core as $$
declare
    leaf regclass;
    made integer := 0;
begin
    for leaf in
        select tree.relid
        from pg_partition_tree(to_regclass(format('core.%I', 'observation_' || p_element))) as tree
        where tree.isleaf
            and not exists (select from pg_constraint as c where c.conrelid = tree.relid and c.contype = 'p')
    loop
        execute format('alter table %s add primary key (series_id, period_start, known_at)', leaf);
        made := made + 1;
    end loop;
    return made;
end $$;

revoke execute on function core.ensure_partitions, core.ensure_keys from public;
grant execute on function core.ensure_partitions, core.ensure_keys to eco_core;
