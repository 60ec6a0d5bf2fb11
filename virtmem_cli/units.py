"""Text to numbers and back, as libvirt reads and people write them.

Takes the text of an element or attribute, gives an int in bytes; and the other way round. Everything else in
this package counts in bytes. Sources: libvirt's virScaleInteger and virStrToLong, which stand on strtoull.
"""

import re
from functools import cache, lru_cache
from itertools import compress

KIB = 1 << 10
MIB = 1 << 20
GIB = 1 << 30

# Most bytes that libvirt reads from a scaled integer (LLONG_MAX).
LARGEST = (1 << 63) - 1
UINT_MAX = (1 << 32) - 1
INT_MAX = (1 << 31) - 1
ULLONG_MAX = (1 << 64) - 1

_PREFIXES = "KMGTPE"
# The one unit table: lower case name -> factor in bytes.
UNITS: dict[str, int] = {
    "b": 1,
    "byte": 1,
    "bytes": 1,
    **{p.lower(): 1024**n for n, p in enumerate(_PREFIXES, 1)},
    **{f"{p.lower()}ib": 1024**n for n, p in enumerate(_PREFIXES, 1)},
    **{f"{p.lower()}b": 1000**n for n, p in enumerate(_PREFIXES, 1)},
}

# strtoull skips white space before a number and takes one sign; nothing may stand after it.
_WHITE = " \t\n\v\f\r"
_SPACE = rf"[{_WHITE}]*"
_DIGITS = {
    0: rf"{_SPACE}\+?(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)",
    10: rf"{_SPACE}\+?([0-9]+)",
    16: rf"{_SPACE}\+?((?:0[xX])?[0-9a-fA-F]+)",
}
# libvirt's VIR_DOMAIN_CPUMASK_LEN: the numbers in lists, of nodes and CPUs, are below it.
MOST_NUMBERS = 16384
# All of them, each by itself, take less than that.
LONGEST_BITMAP = 100_000
# int() is quadratic in the number of digits and refuses more than 4300 of them; no limit here has more than 20.
_MOST_DIGITS = 25


class NotANumberError(ValueError):
    """The text is no number in the form that libvirt reads."""


class TooLargeError(ValueError):
    """The number is above the limit, which is the exception's only argument."""


class UnknownUnitError(ValueError):
    """The unit is none of UNITS."""


def parse_uint(text: str, *, limit: int, base: int = 10) -> int:
    """Read a whole number of base 10, 16, or 0 (C's: 0x is hexadecimal, a leading 0 octal).

    Raises NotANumberError, or TooLargeError above `limit`.
    """
    value = whole_number(text if len(text) <= _MOST_DIGITS else _digits(text, base), base)
    if value > limit:
        raise TooLargeError(limit)
    return value


@lru_cache(1024)  # a domain's numbers are few, and come again and again
def whole_number(text: str, base: int) -> int:
    """As parse_uint, without a limit, for a text that is not long."""
    if not (text.isascii() and text.isalnum()):
        text = _digits(text, base)
    if base == 0:
        base = 16 if text[:2] in ("0x", "0X") else 8 if text[0] == "0" else 10
    if base == 8 and not text.isdigit():
        raise NotANumberError  # Python would take 0o7
    try:
        return int(text, base)
    except ValueError:
        raise NotANumberError from None


def _digits(text: str, base: int) -> str:
    """The digits of a number that has more than digits: white space, a sign, zeros before it.

    Of one that is too long to be read, as many as are above any limit.
    """
    match = re.fullmatch(_DIGITS[base], text)
    if match is None:
        raise NotANumberError
    prefix = match[1][:2] if match[1][:2] in ("0x", "0X") else match[1][:1] if match[1][:1] == "0" else ""
    digits = match[1][len(prefix) :].lstrip("0")
    return prefix + (digits[:_MOST_DIGITS] or "0")


def parse_scaled(text: str, unit: str | None) -> int:
    """Read libvirt's scaled integer into bytes: no unit is KiB, and the result is not rounded yet.

    Raises NotANumberError, UnknownUnitError, or TooLargeError above LARGEST.
    """
    number = parse_uint(text, limit=ULLONG_MAX)
    # isascii: the Kelvin sign is no K to libvirt, but lower() thinks that it is
    factor = UNITS.get(unit.lower() if unit.isascii() else "") if unit else KIB
    if factor is None:
        raise UnknownUnitError
    if number * factor > LARGEST:
        raise TooLargeError(LARGEST)
    return number * factor


def round_up(value: int, step: int) -> int:
    """The least multiple of `step` that is not below `value`."""
    return -(-value // step) * step


def is_power_of_two(value: int) -> bool:
    """Whether it is one; 0 is none."""
    return value.bit_count() == 1


def human(size: int) -> str:
    """Bytes as people read them, exactly: the largest binary unit that divides them, as '4 GiB'."""
    for power in range(len(_PREFIXES), 0, -1):
        if size and size % 1024**power == 0:
            return f"{size // 1024**power} {_PREFIXES[power - 1]}iB"
    return f"{size} {'byte' if size == 1 else 'bytes'}"


@lru_cache(16)  # few lists, again and again
def parse_bits(text: str, *, size: int) -> int:
    """Read libvirt's list of numbers, as '0-3,^2,8', each below `size`, into a number with these bits.

    Raises NotANumberError where libvirt's virBitmapParse fails, or where it is longer than a list of all numbers;
    TooLargeError for a number not below `size`.
    """
    if len(text) > LONGEST_BITMAP:
        raise NotANumberError
    bits = 0
    parts = text.split(",")
    if len(parts) > 1 and not parts[-1].strip(_WHITE):
        parts.pop()  # one comma at the end is taken
    # What is said again later need not be said before, which keeps a very long list short
    for part in reversed(dict.fromkeys(reversed(parts))):
        if len(part) < 5 and _is_digits(part):  # most are, and a list may have all numbers there are
            bits |= 1 << min(int(part), size)
            continue
        first, dash, last = [piece.strip(_WHITE) for piece in part.partition("-")]
        out = first.startswith("^")
        first = first.removeprefix("^")
        if not _is_digits(first) or (dash and (out or not _is_digits(last))):
            raise NotANumberError
        start = parse_uint(first, limit=size - 1)
        end = parse_uint(last, limit=size - 1) if dash else start
        if end < start:
            raise NotANumberError
        if out:
            bits &= ~(1 << start)
        else:
            bits |= (2 << end) - (1 << start)
    if bits >> size:
        raise TooLargeError(size - 1)
    return bits


def parse_bitmap(text: str, *, size: int) -> tuple[int, ...]:
    """As parse_bits, into the sorted numbers."""
    return numbers_of(parse_bits(text, size=size))


@lru_cache(16)
def numbers_of(bits: int) -> tuple[int, ...]:
    """The numbers of the bits that are set, sorted."""
    if bits < 1 << 256:
        return tuple([number for number in range(bits.bit_length()) if bits >> number & 1])
    return tuple(compress(_first_numbers(), map("1".__eq__, bin(bits)[:1:-1])))


@cache
def _first_numbers() -> tuple[int, ...]:
    """All that a list may have, once for all lists: in each by itself they would take half a megabyte."""
    return tuple(range(MOST_NUMBERS))


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def format_bitmap(bits: tuple[int, ...]) -> list[str]:
    """Sorted numbers as ranges, as ['0-3', '8']."""
    ranges: list[list[int]] = []
    for bit in bits:
        if ranges and ranges[-1][1] == bit - 1:
            ranges[-1][1] = bit
        else:
            ranges.append([bit, bit])
    return [f"{first}" if first == last else f"{first}-{last}" for first, last in ranges]


# Sizes as people write them: C's hexadecimal, or digits, perhaps in groups and with a fraction, and a unit behind them.
_GROUPS = r"[0-9]{1,3}(?:[ ,_'][0-9]{3})+|[0-9]+"
_READABLE = (
    rf"(?:(?P<hex>0[xX][0-9a-fA-F]+)|\+?(?P<whole>{_GROUPS})(?P<fraction>\.[0-9]{{1,20}})?\s*(?P<unit>[A-Za-z]*))"
)
_UNIT_NAMES = r"([kmgtpe])(?:i|ibytes?|(?:ilo|ega|iga|era|eta|xa|ibi|ebi|obi|exbi)?bytes?)"


def respell(text: str, unit: str | None = None, *, binary: bool = False) -> tuple[int, str | None] | None:
    """What a number or size in a wrong form seems to mean: the number and the unit to write, or None.

    The unit is that of the text, else `unit`; a fraction comes out in a unit that has none. With `binary` it is a size
    that has to be a power of two: then MB means MiB, and what is none has no meaning.
    """
    if len(text) > 100:
        return None
    text = "".join(str(int(c)) if c.isdecimal() else c for c in text).strip()
    match = re.fullmatch(_READABLE, text)
    if match is None:
        return None
    named = respell_unit(match["unit"], binary=binary) if match["unit"] else unit
    if named is None and match["unit"]:
        return None
    if binary and named:
        named = respell_unit(named, binary=True) or named
    factor = UNITS.get((respell_unit(named or "KiB") or "").lower())
    if match["hex"]:
        number = int(match["hex"], 16)
    else:
        number = int(re.sub(r"[^0-9]", "", match["whole"]))
        if match["fraction"]:
            digits = match["fraction"][1:]
            if factor is None or int(f"{number}{digits}") * factor % 10 ** len(digits):
                return None
            whole, named = human(int(f"{number}{digits}") * factor // 10 ** len(digits)).split()
            number, factor = int(whole), UNITS[named.lower()]
    if binary and not is_power_of_two(number * (factor or 0)):
        return None
    return number, named


def respell_unit(unit: str, *, binary: bool = False) -> str | None:
    """The unit that a misspelt one seems to mean, as libvirt's documentation writes it, or None.

    With `binary` a decimal one, such as MB, means the power of two.
    """
    name = unit.strip().lower()
    match = re.fullmatch(_UNIT_NAMES, name)
    if name in ("b", "byte", "bytes"):
        return "bytes"
    if name in UNITS:
        return name[0].upper() + ("B" if len(name) == 2 and not binary else "iB")
    return f"{match[1].upper()}iB" if match else None


def respell_bitmap(text: str, *, size: int) -> str | None:
    """The list of numbers that one in a wrong form seems to mean, or None."""
    if len(text) > 1000:
        return None
    text = re.sub(r"(?<!\s)\s*+(?:-|\.{2,3}|[\u2010-\u2015])\s*", "-", text.strip())
    text = re.sub(r"[\s,;]+", ",", text).strip(",")
    try:
        return text if parse_bitmap(text, size=size) else None
    except (NotANumberError, TooLargeError):
        return None
