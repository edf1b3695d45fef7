"""What tests of the analysis may ask for."""

from __future__ import annotations

from tests.few_draws import few_draws

__all__ = ["few_draws"]
