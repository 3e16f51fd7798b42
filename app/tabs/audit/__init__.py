"""The Audit tab: is what a generator makes any good, and is it new?"""
