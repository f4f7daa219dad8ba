"""A synthetic city: Guiping's places with invented measurements, from one seed, with known truth.

`places` says where is what, `nature` how it behaves, `delivery` what goes wrong on the way, `departments` how
each department shows it. `city.City` joins them. Nothing here was measured; every table says `synthetic`.
"""

from simulation.city.city import City
from simulation.city.delivery.faults import Faults

__all__ = ["City", "Faults"]
