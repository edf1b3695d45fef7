"""Prepared data of these tests live in a folder of their own."""

from tests.prepared_data_folder import prepared_data_folder  # noqa: F401  # a fixture for every test here
