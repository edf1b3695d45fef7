from wrn_search.progress.text_table import Column, cells, clipped, table

COLUMNS = (Column("name", gives_way=True), Column("node", worth=1), Column("error", worth=2, right=True))


def test_columns_give_way_and_then_are_left_out() -> None:
    rows = [["000_WRN-16-4_p0.30", "node-a", "4.12 %"]]

    assert table(COLUMNS, rows, 40) == [
        "name                node     error",
        "000_WRN-16-4_p0.30  node-a  4.12 %",
    ]
    assert table(COLUMNS, rows, 30)[1] == "000_WRN-16-...  node-a  4.12 %"
    assert table(COLUMNS, rows, 24)[1] == "000_WRN-16-4_...  4.12 %"
    assert all(len(line) <= width for width in range(8, 60) for line in table(COLUMNS, rows, width))


def test_signs_of_two_columns_are_counted() -> None:
    assert cells("深い") == 4
    assert cells(clipped("深い学習の探索", 9)) <= 9
    assert clipped("abc", 3) == "abc"
    assert clipped("abcdefghij", 8) == "abcde..."
