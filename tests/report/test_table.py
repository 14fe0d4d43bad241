from tfreid.report import print_table


def test_table_shows_percentages(capsys):
    print_table("pgp", {"random_background": {"rank1": 0.8125, "mAP": 1.0}, "night": None})
    lines = capsys.readouterr().out.splitlines()
    assert any("pgp" in line and "rank1" in line for line in lines)
    assert any("random background" in line and "81.2" in line and "100.0" in line for line in lines)
    assert any("night" in line and "-" in line for line in lines)
