"""The page of feeds: what each contract promises, channel by channel."""

from __future__ import annotations

from typing import Any

from ecowarehouse.contracts import Contract, EntityContract, ObservationContract, load_contracts
from ecowarehouse.dictionary.markdown import codes, duration, page, table
from ecowarehouse.duties import departments
from ecowarehouse.settings import Settings


def feeds_page(settings: Settings) -> str:
    """Every feed, the broken ones with what to mend."""
    known = departments(settings.city)
    found = load_contracts(settings.city)
    parts = ["# 数据源 · Feeds\n"]
    parts += [_feed(contract, known) for _, contract in sorted(found.observations.items())]
    parts += [
        _entities(contract, known)
        for _, contract in sorted(found.contracts.items())
        if isinstance(contract, EntityContract)
    ]
    parts += [f"## ⚠ {broken.feed_guess}\n\n{broken.message}\n" for broken in found.broken.values()]
    return page(parts)


def _feed(contract: ObservationContract, departments: dict[str, Any]) -> str:
    period = contract.period
    label = {"end": "结束时刻 end of the period", "start": "开始时刻 start of the period"}[period.label]
    sites = {
        "discover": "来源即名录，新代码成为点位并提示 the feed is its own register, a new code becomes a site",
        "register": "未登记点位拒收 an unknown site is refused",
    }[contract.sites]
    partial = contract.partial.newest_period_share
    facts = [
        *_common(contract, departments),
        ("性质 · kind", f"`{contract.series_kind}`"),
        ("时段标签 · label", f"`{period.column}` `{period.format}`, {label}, {period.timezone}"),
        ("平均时间 · averaging", duration(contract.averaging)),
        ("来源的日界 · the source's own day begins at", period.day_boundary),
        ("主键 · key", codes(contract.key)),
        ("点位 · sites", sites),
        ("更新中 · caught mid-update", f"< {partial:g}" if partial is not None else "—"),
        ("缺测标记 · marks of no value", " ".join(f"`{mark}`" for mark in contract.sentinels if mark)),
        *_not_measured(contract),
        ("保存年限 · kept for years", str(contract.retention_years)),
    ]
    rows = [
        (
            f"`{name}`",
            f"[`{channel.property}`](vocabulary.md#property)",
            channel.procedure,
            duration(channel.averaging),
            channel.unit,
            f"{channel.original_unit} × {channel.factor:g}" if channel.factor != 1 else "",
            " ".join((channel.proof or "").split()),
        )
        for name, channel in contract.channels.items()
    ]
    head = ("来源列 · column of the source", "属性 · property", "方法 · procedure", "平均 · averaging",
            "单位 · unit (UCUM)", "换算 · conversion", "证据 · proof")  # fmt: skip
    return "\n".join(
        [
            f"## {contract.feed}\n\n{contract.title.zh} · {contract.title.en}\n",
            table(("项目 · item", "内容 · content"), facts),
            "### 通道 · Channels\n",
            table(head, rows),
        ]
    )


def _not_measured(contract: ObservationContract) -> list[tuple[str, str]]:
    rule = contract.not_measured
    if rule is None:
        return []
    said = [codes(mark for mark in rule.marks if mark), "空 empty" if "" in rule.marks else ""]
    said += [f"仅当 only where `{rule.column}`: {' '.join(rule.says)}" if rule.column else ""]
    said += [f"仅限 only of {codes(rule.channels)}" if rule.channels else ""]
    return [("未设项目标记 · marks of what a station does not measure", "; ".join(filter(None, said)))]


def _common(contract: Contract, departments: dict[str, Any]) -> list[tuple[str, str]]:
    department = departments[contract.department]
    return [
        ("要素 · element", f"`{contract.element}`"),
        ("部门 · department", f"{department['zh']} · {department['en']}"),
        ("机关 · authority", contract.authority),
        ("依据 · legal basis", contract.legal_basis),
        ("许可 · licence", contract.licence),
        (
            "合成 · synthetic",
            "**⚠ 是：没有真实来源 yes: no real source stands behind it** " if contract.synthetic else "否 no",
        ),
        ("传输 · transport", f"`{contract.connector.transport}`; {', '.join(contract.forms.by_name)}"),
        ("每小时询问 · asked at minutes", ", ".join(map(str, contract.schedule.minutes))),
        ("迟到期限 · lateness", duration(contract.lateness)),
        ("静默提醒 · told when silent for", duration(contract.freshness)),
        ("知悉时间 · known_at, first that applies", ", ".join(_known_at(rule) for rule in contract.known_at)),
    ]


def _entities(contract: EntityContract, departments: dict[str, Any]) -> str:
    delivered = {
        None: "若干行 some rows",
        "ended": "全表，缺行即止 the whole register; what it no longer names has ended",
        "taken_back": "全表，缺行即撤销 the whole register; what it no longer names was wrong",
    }[contract.delivered.absent]
    facts = [
        *_common(contract, departments),
        ("实体 · entity", f"[`{contract.entity}`](entities.md#{contract.entity})"),
        ("交付方式 · delivered", delivered),
        ("主键 · key", codes(contract.key)),
        ("保存年限 · kept for years", str(contract.retention_years)),
    ]
    rows = [
        (f"`{value.column}`", f"`{name}`", " ".join(f"{said}→{word}" for said, word in value.words.items()))
        for name, value in contract.values.items()
    ]
    return "\n".join(
        [
            f"## {contract.feed}\n\n{contract.title.zh} · {contract.title.en}\n",
            table(("项目 · item", "内容 · content"), facts),
            "### 列 · Columns\n",
            table(("来源列 · column of the source", "实体的列 · column of the entity", "词 · words"), rows),
        ]
    )


def _known_at(rule: Any) -> str:
    said = rule.model_dump(by_alias=True)
    kind = said.pop("from")
    details = " ".join(f"{value}" for value in said.values())
    return f"{kind} (`{details}`)" if details else str(kind)
