"""Trackers that labs use, kept abreast of the record by a process of their own."""
