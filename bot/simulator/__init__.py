"""The made-up platform of the demo: people, groups, messages and a clock in a file of its own."""
