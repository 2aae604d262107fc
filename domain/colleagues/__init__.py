"""Colleagues: what the organisation's address book proposes about people and duties, and what follows when it says that somebody left."""
