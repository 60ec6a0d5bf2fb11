"""units: numbers as libvirt reads them. The answers in the tables were libvirt's own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virtmem_cli.units import (
    GIB,
    KIB,
    LARGEST,
    MIB,
    UNITS,
    NotANumberError,
    TooLargeError,
    UnknownUnitError,
    format_bitmap,
    human,
    parse_bitmap,
    parse_scaled,
    parse_uint,
    respell,
    respell_bitmap,
    respell_unit,
    round_up,
)

sizes = st.integers(min_value=0, max_value=LARGEST)


@pytest.mark.parametrize(
    ("text", "unit", "size"),
    [
        ("2048", None, 2 * MIB),
        ("2048", "", 2 * MIB),
        ("+2", "MiB", 2 * MIB),
        (" 2", "MiB", 2 * MIB),
        ("\n\t2", "MiB", 2 * MIB),
        ("008", "MiB", 8 * MIB),
        ("1", "kb", 1000),
        ("1", "KB", 1000),
        ("1", "k", KIB),
        ("1", "kIb", KIB),
        ("1", "G", GIB),
        ("1", "BYTES", 1),
        ("1", "byte", 1),
        ("7", "E", 7 << 60),
        ("0" * 5000 + "4", "MiB", 4 * MIB),
    ],
)
def test_a_number_is_scaled_by_its_unit(text: str, unit: str | None, size: int) -> None:
    assert parse_scaled(text, unit) == size


@pytest.mark.parametrize(
    "text",
    ["", " ", "2 ", "-2", "-0", "0x2", "2.0", "2_0", "2e0", "++2", "+ 2", "\u0662", "\u00a02", "\uff12", "2\0"],
)
def test_what_is_no_number_to_libvirt_is_none(text: str) -> None:
    with pytest.raises(NotANumberError):
        parse_scaled(text, "MiB")


@pytest.mark.parametrize("unit", ["Mi", " MiB", "MiB ", "Z", "ZiB", "bb", "\u212aiB"])
def test_a_unit_that_libvirt_does_not_know_is_none(unit: str) -> None:
    with pytest.raises(UnknownUnitError):
        parse_scaled("2", unit)


@pytest.mark.parametrize(
    ("text", "unit"), [("8", "EiB"), (str(1 << 63), "b"), ("9007199254740992", None), ("9" * 100_000, "b")]
)
def test_a_size_above_the_limit_is_too_large(text: str, unit: str | None) -> None:
    with pytest.raises(TooLargeError):
        parse_scaled(text, unit)


def test_an_error_names_the_limit() -> None:
    for text in ("1001", "1" * 100):
        with pytest.raises(TooLargeError) as raised:
            parse_uint(text, limit=1000)
        assert raised.value.args == (1000,)
    with pytest.raises(TooLargeError) as raised:
        parse_scaled("8", "EiB")
    assert raised.value.args == (LARGEST,)


def test_a_size_at_the_limit_is_taken() -> None:
    assert parse_scaled(str(LARGEST), "b") == LARGEST


@pytest.mark.parametrize(
    ("text", "base", "value"),
    [
        ("10", 0, 10),
        ("0x1f", 0, 31),
        ("0x" + "0" * 5000 + "1f", 0, 31),
        ("0X" + "0" * 5000 + "1F", 0, 31),
        ("0" * 5000 + "10", 0, 8),
        ("0X1F", 0, 31),
        ("010", 0, 8),
        ("0", 0, 0),
        ("+5", 0, 5),
        (" 5", 0, 5),
        (" 0107", 0, 71),
        (" 0x10f", 0, 271),
        ("0" * 30, 0, 0),
        ("010", 10, 10),
        ("ff", 16, 255),
        ("0xff", 16, 255),
        ("10", 16, 16),
    ],
)
def test_a_number_is_read_in_its_base(text: str, base: int, value: int) -> None:
    assert parse_uint(text, limit=1000, base=base) == value


@pytest.mark.parametrize(
    ("text", "base"), [("08", 0), ("0o7", 0), ("0x", 0), ("1f", 0), ("0x1f", 10), ("5 ", 0), ("-1", 0)]
)
def test_a_number_of_another_base_is_none(text: str, base: int) -> None:
    with pytest.raises(NotANumberError):
        parse_uint(text, limit=1000, base=base)


@given(st.integers(min_value=0, max_value=1 << 70), st.integers(min_value=0, max_value=1 << 65))
def test_a_number_is_taken_up_to_its_limit(value: int, limit: int) -> None:
    if value > limit:
        with pytest.raises(TooLargeError):
            parse_uint(str(value), limit=limit)
    else:
        assert parse_uint(str(value), limit=limit) == value


@given(sizes)
def test_a_size_in_words_is_read_back(size: int) -> None:
    number, unit = human(size).split()
    assert parse_scaled(number, unit) == size


@given(sizes, st.sampled_from(sorted(UNITS)), st.integers(0, 255))
def test_a_unit_is_read_in_any_letter_case(size: int, unit: str, upper: int) -> None:
    spelt = "".join(c.upper() if upper >> n & 1 else c for n, c in enumerate(unit))
    number = size // UNITS[unit]
    assert parse_scaled(str(number), spelt) == number * UNITS[unit]


@given(sizes, st.sampled_from([KIB, MIB, 2 * MIB, GIB]))
def test_rounding_up_gives_the_next_multiple(size: int, step: int) -> None:
    rounded = round_up(size, step)
    assert rounded % step == 0
    assert 0 <= rounded - size < step


@given(st.text(alphabet="0123456789+-xXabf \t\n_.e\u0662", max_size=30), st.sampled_from([0, 10, 16]))
def test_any_text_is_a_number_or_an_error(text: str, base: int) -> None:
    try:
        value = parse_uint(text, limit=1 << 64, base=base)
    except (NotANumberError, TooLargeError):
        return
    assert 0 <= value <= 1 << 64


@pytest.mark.parametrize(
    ("text", "bits"),
    [
        ("0", (0,)),
        ("0,", (0,)),
        (" 0 ", (0,)),
        ("0 , 2", (0, 2)),
        ("0-3", (0, 1, 2, 3)),
        ("0-3,^1", (0, 2, 3)),
        ("1-1", (1,)),
        ("14-15", (14, 15)),
        ("0-3,^1,8", (0, 2, 3, 8)),
        ("0,1,", (0, 1)),
        (" 15", (15,)),
        (" " * 99_999 + "0", (0,)),
        ("00", (0,)),
        ("0,^0", ()),
        ("^0", ()),
    ],
)
def test_a_bitmap_has_its_bits_in_order(text: str, bits: tuple[int, ...]) -> None:
    assert parse_bitmap(text, size=16) == bits


@pytest.mark.parametrize(
    "text",
    [
        "",
        ",0",
        "0-",
        "1-0",
        "0x0",
        "0 1",
        "+0",
        "0-3,^1-3",
        "0,,0",
        "-1",
        "a",
        "0;1",
        "0,X",
        "0,\u00a0",
        "\u00a00",
        " " * 100_000 + "0",
    ],
)
def test_what_is_no_bitmap_to_libvirt_is_none(text: str) -> None:
    with pytest.raises(NotANumberError):
        parse_bitmap(text, size=16)


@pytest.mark.parametrize("text", ["16", " 16", "0-16", "4294967295", "0-4294967295"])
def test_a_bit_behind_the_last_is_too_large(text: str) -> None:
    with pytest.raises(TooLargeError):
        parse_bitmap(text, size=16)


@given(st.sets(st.integers(min_value=0, max_value=300), min_size=1))
def test_a_bitmap_in_words_is_read_back(bits: set[int]) -> None:
    ordered = tuple(sorted(bits))
    assert parse_bitmap(",".join(format_bitmap(ordered)), size=301) == ordered


def test_lists_share_their_numbers() -> None:
    """In each by itself all numbers would take half a megabyte."""
    one, other = (parse_bitmap(text, size=16384) for text in ("0-16383", "5-16383"))
    assert one[5:] == other
    assert all(a is b for a, b in zip(one[5:], other, strict=True))


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 bytes"), (1, "1 byte"), (2, "2 bytes"), (1536, "1536 bytes"), (3 * MIB, "3 MiB"), (1 << 60, "1 EiB")],
)
def test_a_size_is_said_in_its_largest_whole_unit(size: int, text: str) -> None:
    assert human(size) == text


@pytest.mark.parametrize(
    ("text", "unit", "meant"),
    [
        ("1,024", None, (1024, None)),
        ("1_024", "MiB", (1024, "MiB")),
        ("0x10", "MiB", (16, "MiB")),
        ("\u0664\u0662", None, (42, None)),
        ("2 GB", "MiB", (2, "GB")),
        ("2.5", None, (2560, "bytes")),
        ("1.5", "MiB", (1536, "KiB")),
        ("0.25", "KiB", (256, "bytes")),
        ("0.05", "KiB", None),
        ("2 furlongs", None, None),
        ("2.0 furlongs", None, None),
        ("four", None, None),
        (" " * 99 + "4", None, (4, None)),
        (" " * 100 + "4", None, None),
    ],
)
def test_what_a_number_was_meant_to_be(text: str, unit: str | None, meant: tuple[int, str | None] | None) -> None:
    assert respell(text, unit) == meant


@pytest.mark.parametrize(("unit", "meant"), [("furlong", None), ("mebibytes", (2, "MiB"))])
def test_what_a_number_with_an_unknown_unit_was_meant_to_be(unit: str, meant: tuple[int, str | None] | None) -> None:
    assert respell("2.0", unit) == meant


@pytest.mark.parametrize(
    ("unit", "meant"),
    [
        ("B", "bytes"),
        (" byte", "bytes"),
        ("Bytes ", "bytes"),
        ("KB ", "KB"),
        (" g", "GiB"),
        ("gib ", "GiB"),
        ("mebibytes", "MiB"),
        ("Gigabytes", "GiB"),
        ("furlong", None),
        ("", None),
    ],
)
def test_what_a_unit_was_meant_to_be(unit: str, meant: str | None) -> None:
    assert respell_unit(unit) == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("0..3", "0-3"),
        ("0 \u2013 3", "0-3"),
        ("0;1", "0,1"),
        ("0 1", "0,1"),
        (",0,", "0"),
        ("X0", None),
        ("^0;", None),
        ("0-16", None),
        ("1" + " " * 999, "1"),
        ("1" + " " * 1000, None),
    ],
)
def test_what_a_bitmap_was_meant_to_be(text: str, meant: str | None) -> None:
    assert respell_bitmap(text, size=16) == meant
