"""The report: which printed claims hold, under which conditions, and which fail, on one page or in one table."""
