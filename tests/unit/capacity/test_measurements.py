"""Reading benchmark tables, and what is said of those that are none."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mistral7b.capacity.measurements import (
    COLUMNS,
    RUN_COLUMNS,
    Figure,
    Row,
    Run,
    published_path,
    read_either,
    read_measurements,
    rows,
)
from mistral7b.errors import UserError

HEADER = ",".join(COLUMNS)
LINE = "throughput_tokens_per_s,128,128,1,30"


def written(folder: Path, *lines: str) -> Path:
    """A file of these lines."""
    path = folder / "measured.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_the_published_table_has_two_figures_for_each_of_20_loads() -> None:
    figures = read_measurements(published_path())
    assert (len(figures), len(list(rows(figures)))) == (40, 20)
    assert figures[0] == Figure(Row(128, 128, 1), "throughput_tokens_per_s", 30)
    assert figures[-1] == Figure(Row(6400, 128, 8), "p50_latency_ms_per_token", 154)


def test_columns_may_come_in_any_order_with_spaces_and_empty_lines(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "value, metric ,input_words,output_tokens,concurrent_users",
        "",
        " 30.5 ,throughput_tokens_per_s,1,2,3",
    )
    assert read_measurements(path) == (Figure(Row(1, 2, 3), "throughput_tokens_per_s", 30.5),)


@pytest.mark.parametrize(
    ("line", "column", "value"),
    [
        ("tokens,128,128,1,30", "metric", "'tokens'"),
        ("throughput_tokens_per_s,-1,128,1,30", "input_words", "'-1'"),
        ("throughput_tokens_per_s,128,1.5,1,30", "output_tokens", "'1.5'"),
        ("throughput_tokens_per_s,128,128,0,30", "concurrent_users", "'0'"),
        (f"throughput_tokens_per_s,128,128,{'9' * 5000},30", "concurrent_users", "999'"),
        ("throughput_tokens_per_s,128,128,1,nan", "value", "'nan'"),
        ("throughput_tokens_per_s,128,128,1,inf", "value", "'inf'"),
        ("throughput_tokens_per_s,128,128,1,-3", "value", "'-3'"),
        ("throughput_tokens_per_s,128,128,1,", "value", "''"),
    ],
)
def test_a_wrong_value_is_named_with_line_column_and_what_it_should_be(
    tmp_path: Path, line: str, column: str, value: str
) -> None:
    with pytest.raises(UserError) as raised:
        read_measurements(written(tmp_path, HEADER, LINE, line))
    assert f"measured.csv, line 3, column {column}: " in str(raised.value)
    assert f"{value}: " in str(raised.value)
    assert len(str(raised.value)) < 300


def test_a_wrong_header_is_named_with_the_right_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=rf"line 1: the columns are metric,users\nfix: they have to be {HEADER}"):
        read_measurements(written(tmp_path, "metric,users", LINE))


def test_a_line_of_too_few_values_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="line 2: 2 values instead of 5"):
        read_measurements(written(tmp_path, HEADER, "throughput_tokens_per_s,128"))


def test_a_figure_given_twice_is_named_with_its_first_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="line 4: the same load and metric as line 2"):
        read_measurements(written(tmp_path, HEADER, LINE, LINE.replace(",1,", ",2,"), LINE.replace(",30", ",31")))


def test_an_empty_file_and_one_without_figures_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").touch()
    with pytest.raises(UserError, match="line 1: the columns are missing\nfix: they have to be"):
        read_measurements(tmp_path / "empty.csv")
    with pytest.raises(UserError, match="a header and no figures"):
        read_measurements(written(tmp_path, HEADER))


def test_a_file_of_10_gb_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.csv"
    with path.open("wb") as file:
        file.truncate(10_000_000_000)  # takes no room on disk
    with pytest.raises(UserError, match=r"10,000,000,000 bytes, more than 1,000,000"):
        read_measurements(path)


def test_what_is_missing_or_no_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path, Path("/dev/zero")):
        with pytest.raises(UserError, match="there is no such file"):
            read_measurements(path)


def test_the_second_benchmark_has_114_runs() -> None:
    figures, runs = read_either(published_path().with_name("fmbench_mistral_7b_ml_g5_2xlarge_tgi_1_1.csv"))
    assert (figures, len(runs)) == ((), 114)
    assert runs[0] == Run(1, 304, 13, 0.6341, 20.22, 1, 0, "1-500")


def test_columns_of_runs_beyond_the_first_four_may_be_missing_or_empty(tmp_path: Path) -> None:
    path = written(tmp_path, ",".join((*RUN_COLUMNS[:4], "payload", "requests")), "2,10,5.5,1.25,,3")
    assert read_either(path) == ((), (Run(2, 10, 5.5, 1.25, requests=3),))


def test_columns_of_runs_come_in_any_order_and_others_are_kept(tmp_path: Path) -> None:
    header = "instance,latency_mean_s,price,completion_tokens_mean,prompt_tokens_mean,concurrency"
    ((run,),) = read_either(written(tmp_path, header, '"a, b",1.25,,5.5,10,3'))[1:]
    assert run == Run(3, 10, 5.5, 1.25)
    assert list(run.columns()) == header.split(",")
    assert run.columns() == {
        "instance": "a, b", "latency_mean_s": 1.25, "price": "", "completion_tokens_mean": 5.5,
        "prompt_tokens_mean": 10, "concurrency": 3,
    }  # fmt: skip


def test_the_same_run_may_be_given_twice(tmp_path: Path) -> None:
    assert len(read_either(written(tmp_path, ",".join(RUN_COLUMNS[:4]), "2,10,5,1", "2,10,5,1"))[1]) == 2


@pytest.mark.parametrize(
    ("line", "column", "value"),
    [
        ("0,10,5,1", "concurrency", "'0'"),
        ("1,ten,5,1", "prompt_tokens_mean", "'ten'"),
        ("1,10,0.5,1", "completion_tokens_mean", "'0.5'"),
        ("1,10,5,-1", "latency_mean_s", "'-1'"),
        ("1,10,5,", "latency_mean_s", "''"),
        ("1,10,5,inf", "latency_mean_s", "'inf'"),
    ],
)
def test_a_wrong_value_of_a_run_is_named_with_line_and_column(
    tmp_path: Path, line: str, column: str, value: str
) -> None:
    with pytest.raises(UserError, match=r"\nfix: ") as raised:
        read_either(written(tmp_path, ",".join(RUN_COLUMNS[:4]), "1,10,5,1", line))
    assert f"measured.csv, line 3, column {column}: {value}: " in str(raised.value)


@pytest.mark.parametrize("header", ["concurrency,latency_mean_s", f"{HEADER},concurrency", "concurrency," * 5])
def test_columns_of_neither_kind_are_named_with_those_of_both(tmp_path: Path, header: str) -> None:
    with pytest.raises(
        UserError, match=rf"line 1: the columns are (.|\n)*fix: they have to be {HEADER} or concurrency,"
    ):
        read_either(written(tmp_path, header, "1"))


def test_runs_are_no_table(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=rf"fix: they have to be {HEADER}$"):
        read_measurements(written(tmp_path, ",".join(RUN_COLUMNS[:4]), "1,10,5,1"))


def test_a_file_without_runs_says_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="a header and no runs"):
        read_either(written(tmp_path, ",".join(RUN_COLUMNS)))


@given(st.binary(max_size=300))
def test_any_other_file_is_refused_with_its_name(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("measurements") / "any.csv"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"any\.csv"):
        read_either(path)
