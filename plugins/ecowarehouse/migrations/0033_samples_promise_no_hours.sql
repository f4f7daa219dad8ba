-- A sample is taken when it is taken: no hour and no day without one is missing.
alter table core.feed add column sampled_every interval;
comment on column core.feed.sampled_every is
    'samples: how often a value of each series is promised; null: periods follow one on another · 采样频次';

alter table core.feed add column counted_by_day boolean
    generated always as (sampled_every is null and averaging <= interval '1 day') stored;
comment on column core.feed.counted_by_day is
    'whether the books of completeness have days of it: its periods follow one on another and are no longer than a day · 是否逐日记账';
