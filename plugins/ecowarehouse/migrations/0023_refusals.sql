-- What a release refuses after a positive verdict is blocked for a reason that the verdict does not have.
alter table governance.dataset_state add column refused text;
comment on column governance.dataset_state.refused is
    'why the release refused what the gate had let through; null again with the next judgement · 发布拒绝原因';
