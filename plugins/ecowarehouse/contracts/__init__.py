"""Contracts: what a source promises, one YAML file a feed under `city/sources/<department>/`."""

from ecowarehouse.contracts.entity import EntityContract
from ecowarehouse.contracts.load import BrokenContract, ContractSet, json_schema, load_contracts
from ecowarehouse.contracts.model import Contract
from ecowarehouse.contracts.observations import ObservationContract
from ecowarehouse.contracts.values import Channel

__all__ = [
    "BrokenContract",
    "Channel",
    "Contract",
    "ContractSet",
    "EntityContract",
    "ObservationContract",
    "json_schema",
    "load_contracts",
]
