"""Pages of DAGs: purpose, schedule and what to do, made from the contract, so that they can't grow stale."""

from __future__ import annotations

from datetime import timedelta

from ecowarehouse.airflow.names import FRESHNESS_DAG, core_uri, element_dag_id, ingest_dag_id
from ecowarehouse.contracts import BrokenContract, Contract


def ingest(contract: Contract, minutes: str) -> str:
    """The page of a feed's DAG."""
    secrets = ", ".join(f"`{name}`" for name in contract.connector.secret_names) or "none"
    retries = contract.connector.retries
    return f"""# {contract.title.zh} · {contract.title.en}

**Purpose 用途.** Asks the system of {contract.authority} for `{contract.feed}`, keeps what was received, and takes it
up into core of the element `{contract.element}`. 从来源系统取数，原样留存，并写入核心层。

**Schedule 时间.** Minute {minutes} of every hour. A period stays open for {_words(contract.lateness)}; after
{_words(contract.freshness)} without a usable answer `{FRESHNESS_DAG}` sends a notice.

**What follows.** If core changed, `{core_uri(contract.element)}` is emitted and `{element_dag_id(contract.element)}`
builds, judges and releases. If nothing changed, nothing follows.

**Answers for it 责任部门.** {contract.department}; basis: {contract.legal_basis}. Secrets needed: {secrets}.

## If it fails 失败时怎么办

1. Read the task's last lines: batch number, outcome and reason stand there, and in
   `eco query "select * from landing.batch where feed = '{contract.feed}' order by batch_id desc limit 5"`.
2. `failed`: the source did not answer after {retries} retries. Is its address right, does it answer from this machine?
   Nothing is lost if it still offers the periods later; the next run asks again.
3. `rejected`: an answer came and can't be used. Its bytes are kept (`bytes_address`). Compare with the contract:
   `eco source check {contract.feed}`. Talk to {contract.authority} if their format changed.
4. The task `lost` failed: one of several deliveries was lost; the others have been taken up and released.
5. Run it by hand: `eco load {contract.feed}`, or with files that somebody sent: `eco load {contract.feed} FILE...`.
"""


def broken(problem: BrokenContract) -> str:
    """The page of a broken contract's DAG."""
    return f"""# The contract of {problem.feed_guess} is broken · 合同文件有误

This feed is not fetched until its file is mended; all others stand.

```
{problem.message}
```

Mend the file, run `eco source check {problem.feed_guess}`; Airflow replaces this DAG by the feed's own in a minute.
修正文件后运行 `eco source check`，一分钟内恢复。
"""


def element(name: str, owner: str, feeds: tuple[str, ...], minute: int, *, follows_all: bool = False) -> str:
    """The page of an element's DAG."""
    sources = ", ".join(f"`{ingest_dag_id(feed)}`" for feed in feeds) or "no feed: its contracts are broken"
    schedule = (
        f"When core changed (asset `{core_uri(name)}`, from {sources}), and at minute {minute} of every hour,"
    )
    reason = "because an open period closes by time alone."
    if follows_all:
        schedule = (
            f"At minute {minute} of every hour: every delivery of every feed is work for it, failed ones too,"
        )
        reason = "and one run takes up what all of them left."
    return f"""# {name}: build, gate, release, export · 构建、质量门、发布、导出

**Purpose 用途.** Rebuilds what changed in the candidates of `{name}`, lets the gate judge every period of every
dataset, releases what it let through and writes its files. 重建变化部分，逐数据集逐时段裁决，发布通过的部分并导出文件。

**Schedule 时间.** {schedule}
{reason} `has_work` skips the rest when there is nothing to do.

**Answers for it 责任部门.** {owner}.

## If it fails 失败时怎么办

- `build`: a model or a dbt test failed; the task's log and `governance.model_run` name it. Nothing was released, what
  was readable stays. After the mend: `eco build {name}`, or run this DAG again.
- `gate`: the gate itself could not work. Nothing was released. The log says why.
- `release`: refused or interrupted; it is one transaction, so nothing is half released. Run it again.
- `export`: the release stands, its files are behind: a full disk, or a value that no file can carry. The log says
  which; readers of files keep the last version. The next run writes them, or `eco export`. 发布已完成，文件待补。
- `report`: **periods were blocked for the first time**; everything else has been released. The log lists dataset,
  period and reason. Out of it: mend the data (`eco load`, `eco correct`) and rebuild, or a named person decides:
  `eco gate waive … --reason … --until …`. 首次拦截的时段见日志；其余已发布。

A backfill never publishes. A build that a newer one has overtaken is skipped.
"""


def freshness() -> str:
    """The page of the watch over silent feeds."""
    return """# Silent feeds · 数据源时效巡查

**Purpose 用途.** Compares the last usable answer of every feed with the freshness that its contract promises, by the
clock on the wall, and writes one notice for each silence, which says whether the source or this platform is silent, and
one when it ends. 超过合同时效即发通知，并说明是来源还是平台的原因；恢复时再发一次。

**Schedule 时间.** Every 15 minutes.

## If it fails 失败时怎么办

It needs the database and the contracts, nothing else: `eco doctor`. A notice that could not be delivered stays in
`governance.notice`, with where it went in `delivered_to`.
"""


def _words(duration: timedelta) -> str:
    minutes = int(duration.total_seconds() // 60)
    hours, rest = divmod(minutes, 60)
    return " ".join([*([f"{hours} h"] if hours else []), *([f"{rest} min"] if rest else [])]) or "0 min"
