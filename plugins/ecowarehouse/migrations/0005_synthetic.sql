-- Synthetic data are marked from the delivery to the page: the stand-in source says so, the ledger keeps it.
alter table landing.batch add column synthetic boolean not null default false;
comment on column landing.batch.synthetic is 'a stand-in source delivered this, no real department · 合成数据';
