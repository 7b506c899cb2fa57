"""What does a fit look like? Traversals, plots, the explorer, the report, exports."""
