"""Logging in and out: what a person gives, or a provider does, is tried, and kept for a host.

It is kept in rattler's store, as pixi writes it, and so every tool that we answer has it, and pixi.
Flows are as in ``auth``: they do no I/O, and ``renew`` sends what they yield.
"""
