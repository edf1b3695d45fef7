"""The paper's claims: of networks that its tables have, with words that say which."""

from __future__ import annotations

import pytest

from wrn_search.paper.claims import CLAIMS, Claim, claims_of
from wrn_search.paper.published_tables import published, published_times

ROWS = {(row.table, row.dataset, row.network, row.dropout): row.error for row in published()}


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.key)
def test_a_claim_compares_rows_of_its_table(claim: Claim) -> None:
    assert claim.parts
    for part in claim.parts:
        assert part.all_pairs
        for dataset in claim.datasets:
            for network, dropout in (entry for pair in part.all_pairs for entry in pair):
                key = (f"table {claim.table}", dataset, network, dropout or 0.0)
                assert key in ROWS or (claim.table, network, dataset) == (4, "WRN-40-8", "cifar100")


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.key)
def test_all_of_a_table_at_hand_gives_all_pairs(claim: Claim) -> None:
    rows = [
        (network, dropout or 0.0) for table, data, network, dropout in ROWS if table == f"table {claim.table}"
    ]
    for part in claim.parts:
        found = {tuple(name for name, _ in pair) for pair in part.pairs(rows)}
        expected = {tuple(name for name, _ in pair) for pair in part.all_pairs}
        assert expected <= found


def test_nothing_at_hand_gives_no_pair() -> None:
    assert [pair for claim in CLAIMS for part in claim.parts for pair in part.pairs([])] == []


def test_every_table_has_claims_and_keys_are_unique() -> None:
    assert all(claims_of(table) for table in range(2, 9))
    assert len({claim.key for claim in CLAIMS}) == len(CLAIMS)


def test_times_are_those_that_the_paper_prints() -> None:
    assert published_times(2)["WRN-22-2-B(3,1,3)"] == 59.9
    assert published_times(5)["ResNet-1001"] / published_times(5)["WRN-40-4"] == pytest.approx(7.5, abs=0.03)
    assert published_times(8)["WRN-50-2-bottleneck"] == 93
    assert published_times(4) == {}
