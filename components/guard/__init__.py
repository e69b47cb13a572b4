"""Admission policies that an environment brings with it: what they refuse is refused to everybody, kubectl included."""
