"""Contracts: what a source promises, one YAML file a feed under `city/sources/<department>/`."""

from ecowarehouse.contracts.load import BrokenContract, ContractSet, load_contracts
from ecowarehouse.contracts.model import Contract, json_schema
from ecowarehouse.contracts.values import Channel

__all__ = ["BrokenContract", "Channel", "Contract", "ContractSet", "json_schema", "load_contracts"]
