-- A site that left is no longer expected by the gate: a named person says so, until the source or somebody says otherwise.
alter table decision.decision drop constraint decision_kind_check;
alter table decision.decision add constraint decision_kind_check check (kind in
    ('review', 'correction', 'embargo', 'withdrawal', 'disagreement', 'departure'));
alter table decision.decision add constraint departure_names_a_site check (kind <> 'departure' or row_scope <> '{}');
comment on table decision.decision is
    'One row is one decision of a named person: review, correction, embargo, withdrawal, disagreement, departure · 人工决定';
comment on view shared.decision is
    'One row is a decision that holds for a dataset: withdrawn, under embargo, known to disagree, a site that left · 数据集相关决定';
