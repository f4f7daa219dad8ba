"""Exports: released data as files that anybody can check, cite and read without us."""

from ecowarehouse.exports.exporting import ExportResult, export, export_standing
from ecowarehouse.exports.faces import FACES, ExportError, Face
from ecowarehouse.exports.purging import purge

__all__ = ["FACES", "ExportError", "ExportResult", "Face", "export", "export_standing", "purge"]
