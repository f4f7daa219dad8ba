"""The sheet's words, Chinese and English; a test compares them with the tables."""

from __future__ import annotations

from typing import Final

TITLE: Final = "值班日报 · Duty officer's sheet"
UNREVIEWED: Final = "实时数据未经审核，仅供参考 · real-time data, not reviewed, for reference only"
INTERNAL: Final = "内部资料：县级城市空气质量指数须经授权方可公开 · internal: to publish an AQI needs leave"
SYNTHETIC: Final = "含合成数据，非真实监测结果 · contains synthetic data, no real measurements"
EMPTY: Final = "无 · none"
SECTIONS: Final = {
    "air_now": "本小时空气 · Air, this hour",
    "air_yesterday": "昨日空气 · Air, yesterday",
    "air_to_date": "本月、本年累计与上年同期、目标 · Month and year to date beside last year and target",
    "water_sections": "断面水质（未达标在前） · Sections, those below target first",
    "silent": "无数据站点 · Silent stations",
    "held_back": "未发布时段 · Held back by the gate",
}
COLUMNS: Final = {
    "station_name": "站点 · station", "period_start": "时段 · period", "aqi": "AQI", "category": "级别 · level",
    "primary_pollutant": "首要污染物 · primary pollutant", "pm2_5": "PM2.5 µg/m³", "pm10": "PM10 µg/m³",
    "o3": "O3 µg/m³", "o3_mda8": "O3-8h µg/m³", "no2": "NO2 µg/m³", "so2": "SO2 µg/m³", "co": "CO mg/m³",
    "standard": "标准 · standard", "synthetic": "合成 · synthetic", "area_name": "地区 · area", "day": "日期 · day",
    "reason": "原因 · reason", "span": "时段 · span", "first_day": "起 · from", "last_day": "止 · to",
    "days": "有效天数 · days", "good_days": "优良天数 · good days", "good_share": "优良率 % · good share",
    "good_share_last_year": "上年同期 % · last year", "good_share_target": "目标 % · target",
    "pm2_5_last_year": "PM2.5 上年同期 · last year", "pm2_5_target": "PM2.5 目标 · target",
    "polluted_days_left": "剩余可超标天数 · polluted days left", "section_name": "断面 · section",
    "river": "河流 · river",
    "sampled_at": "采样 · sampled", "water_class_cn": "类别 · class", "deciding_items": "定类项目 · decided by",
    "class_reason": "未定类原因 · why none", "station_state": "状态 · state", "class_of_month": "本月类别 · month",
    "class_to_date": "累计类别 · to date", "target_class": "目标 · target",
    "meets_target_to_date": "累计达标 · meets target",
    "below_target": "未达标 · below target", "element": "要素 · element", "name": "站点 · station",
    "last_heard": "最后数据 · last heard", "periods": "七日内时段 · periods in 7 days", "dataset": "数据集 · dataset",
}  # fmt: skip
