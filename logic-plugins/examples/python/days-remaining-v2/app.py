"""The component's entry: componentize-py looks for the class `Logic` here."""

from provender_logic.component import export

from days_remaining import LOGIC

Logic = export(LOGIC)
