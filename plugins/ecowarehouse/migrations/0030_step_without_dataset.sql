-- A build of an element that has no dataset yet builds nothing, and the ledger says so. Outcomes that others have added
-- stay: the check is read, widened and made again.
do $$
declare
    outcomes text;
begin
    select string_agg(distinct format('%L', outcome[1]), ', ')
    into outcomes
    from pg_constraint as c, regexp_matches(pg_get_constraintdef(c.oid), '''([a-z_]+)''', 'g') as outcome
    where c.conrelid = 'governance.step'::regclass and c.conname = 'step_outcome_check';
    alter table governance.step drop constraint step_outcome_check;
    execute format(
        'alter table governance.step add constraint step_outcome_check check (outcome in (%s, ''no_dataset''))', outcomes);
end $$;
