"""Sheets for people, each from one frozen set of releases."""

from ecowarehouse.reports.daily import DailyReport, ReportError, daily

__all__ = ["DailyReport", "ReportError", "daily"]
