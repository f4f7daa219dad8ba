"""The public page beside the open files: its data made from them, its code lists, its assets."""

from ecowarehouse.exports.page.writing import write_page

__all__ = ["write_page"]
