"""The component's entry: componentize-py looks for the class `Logic` here. Nothing to change."""

from provender_logic.component import export

from logic import LOGIC

Logic = export(LOGIC)
