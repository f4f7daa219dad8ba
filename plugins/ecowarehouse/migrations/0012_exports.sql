-- Exports are steps of the ledger. Kinds that others have added stay: the check is read, widened and made again.
do $$
declare
    kinds text;
begin
    select string_agg(distinct format('%L', kind[1]), ', ')
    into kinds
    from pg_constraint as c, regexp_matches(pg_get_constraintdef(c.oid), '''([a-z_]+)''', 'g') as kind
    where c.conrelid = 'governance.step'::regclass and c.conname = 'step_kind_check';
    alter table governance.step drop constraint step_kind_check;
    execute format('alter table governance.step add constraint step_kind_check check (kind in (%s, ''export''))', kinds);
end $$;
