"""The component's entry point: componentize-py looks for the class `Logic` here. Do not change it."""

from provender_logic.component import export

from logic import LOGIC

Logic = export(LOGIC)
