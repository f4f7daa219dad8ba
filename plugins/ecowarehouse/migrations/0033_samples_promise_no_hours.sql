-- A sample is taken when it is taken: no hour and no day without one is missing.
alter table core.feed add column sampled_every interval;
comment on column core.feed.sampled_every is
    'samples: how often a value of each series is promised; null: periods follow one on another · 采样频次';
