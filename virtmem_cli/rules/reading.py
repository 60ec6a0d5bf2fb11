"""Reading: what cannot be read as libvirt reads it, and what it would pass over without a word.

Unlike the other rules, these find one problem in what they are given: `parse` says them as it reads, `told` those of
comments and `judgement` those of the schema.
"""

from collections.abc import Iterable

from virtmem_cli.document.value import Element, Value
from virtmem_cli.findings import Part, Problem, Refuses, Severity, rule, safe, unsafe
from virtmem_cli.text import cut, instead, nearest, quoted
from virtmem_cli.units import human, is_power_of_two, respell, respell_bitmap, respell_unit

# What cannot be read


@rule(Severity.ERROR, Refuses.LIBVIRT, "the input is no domain XML")
def not_a_domain(element: Element, reason: str, advice: str) -> Problem:
    """libvirt takes well-formed XML with the root <domain>. A <!DOCTYPE> is refused here: entities can hide things."""
    return Problem(element, reason, advice)


@rule(Severity.ERROR, Refuses.LIBVIRT, "a required element or attribute is absent or empty")
def value_missing(element: Element, label: str, example: str, state: str = "is absent") -> Problem:
    """libvirt has no default for it. An absent <block> counts as 0: virDomainMemoryDefValidate (libvirt 7.9).

    `label` is what is missing, or what lacks it by its `state`; `example` what could be written.
    """
    return Problem(element, f"{label} {state}", f"Write {example}.")


@rule(Severity.ERROR, Refuses.LIBVIRT, "a value is none of those that libvirt knows")
def value_unknown(value: Value, known: Iterable[str], advice: str = "") -> Problem:
    """libvirt looks words up in a table and compares them exactly. `advice` says more than the table could."""
    near = _meant(value.text, known) if known else None
    return Problem(
        value.element,
        f"{value.label} is {quoted(value.text)}",
        advice or instead(near, known),
        value.rewritten(near) if near else None,
    )


@rule(Severity.ERROR, Refuses.LIBVIRT, "a number is not in the form that libvirt reads")
def number_invalid(
    value: Value,
    limit: int | None = None,
    *,
    base: int = 10,
    most: int | None = None,
    unit: str | None = None,
    binary: bool = False,
) -> Problem:
    """strtoull and nothing after the digits (virStrToLong). Without a limit it is a size, in `unit`.

    What is advised is at most `most`, where that is less than what is read; with `binary` it is a power of two.
    """
    form = {0: "decimal or 0x… number", 10: "decimal number", 16: "hexadecimal number"}[base]
    meant = respell(value.text, unit, binary=binary) if base != 16 else None
    if meant is None:
        right = None
    elif limit is None:
        right = f"Write '{meant[0]}'" + (f" with unit='{meant[1]}'." if meant[1] != unit else ".")
    else:
        right = f"Write '{meant[0]}'." if meant[1] is None and meant[0] <= limit else None
    if limit is None:
        other = "Write decimal digits and nothing after them; the unit goes into the attribute 'unit'."
    else:
        other = f"Write a {form} from 0 to {limit if most is None else most}, with nothing after it."
    return Problem(
        value.element,
        f"{value.label} is {quoted(value.text)}, which is no whole number",
        right or other,
        value.rewritten(str(meant[0]), meant[1]) if meant and right else None,
    )


@rule(Severity.ERROR, Refuses.LIBVIRT, "a number is above its limit")
def number_too_large(value: Value, limit: int, *, unit: str | None = None, address: bool = False) -> Problem:
    """virScaleInteger refuses sizes above LLONG_MAX bytes; other numbers have limits of their own.

    With `unit` it is a size, and the limit in bytes; with `address` a part of an address, which may be left out.
    """
    if address:
        return _out_of_range(value, limit)
    if unit is not None:
        words = f"{quoted(value.text)} with the unit {quoted(unit)}, and the limit is {limit} bytes"
        return Problem(value.element, f"{value.label} is {words}", "Write a smaller size.")
    words = f"{value.label} is {quoted(value.text)}, and the limit is {limit}"
    return Problem(value.element, words, f"Write a number from 0 to {limit}.")


@rule(Severity.ERROR, Refuses.LIBVIRT, "a unit is none of those that libvirt knows")
def unit_unknown(value: Value, unit: str, *, binary: bool = False) -> Problem:
    """virScaleInteger: b, byte, bytes, and K M G T P E, alone or with iB for powers of 1024, with B of 1000.

    With `binary` a power of two is wanted, and one of the former is advised.
    """
    named = respell_unit(unit, binary=binary)
    return Problem(
        value.element,
        f"{value.label} has the unit {quoted(unit)}",
        f"Write '{named}'." if named else "Write bytes, KiB, MiB, GiB, TiB, PiB or EiB.",
        safe(value.element, Part.ATTRIBUTE, named, "unit") if named else None,
    )


@rule(Severity.ERROR, Refuses.LIBVIRT, "a list of nodes or CPUs cannot be read, or is empty")
def nodeset_invalid(value: Value, size: int, *, empty: bool = False) -> Problem:
    """virBitmapParse: numbers and ranges with commas between, and ^ before a number takes it out again."""
    if empty:
        return Problem(value.element, f"{value.label} is {quoted(value.text)}, which is empty", "Name at least one.")
    meant = respell_bitmap(value.text, size=size)
    return Problem(
        value.element,
        f"{value.label} is {quoted(value.text)}, which is no list of numbers from 0 to {size - 1}",
        f"Write {quoted(meant)}." if meant else "Write numbers and ranges with commas between, as '0-3,^2,8'.",
        value.rewritten(meant) if meant else None,
    )


@rule(Severity.ERROR, Refuses.QEMU, "more NUMA nodes than QEMU knows")
def nodes_too_many(element: Element, most: int, *, label: str = "", last: int = 0, cells: int = 0) -> Problem:
    """QEMU's MAX_NODES, of guest and host; libvirt reads numbers below VIR_DOMAIN_CPUMASK_LEN.

    Either a list, `label`, that goes up to `last`, or a number of `cells`.
    """
    if cells:
        return Problem(element, f"there are {cells} <cell>s, and QEMU's limit is {most}", "Write fewer.")
    words = f"{label} goes up to {last}, and QEMU's last node is {most - 1}"
    return Problem(element, words, f"Write nodes from 0 to {most - 1}.")


@rule(Severity.ERROR, Refuses.LIBVIRT, "the domain's name holds a '/' or a line break")
def name_invalid(value: Value) -> Problem:
    """libvirt makes file names of it (virXMLCheckIllegalChars)."""
    words = f"{value.label} is {quoted(value.text)}, and a name holds no '/' and no line break"
    return Problem(value.element, words, "Write another name.")


@rule(Severity.ERROR, Refuses.OURS, "the domain's type is not one that QEMU serves")
def domain_type(value: Value) -> Problem:
    """Other types are for other drivers of libvirt's, which have no virtio-mem."""
    words = f"{value.label} is {quoted(value.text)}, which does not run in QEMU"
    return Problem(value.element, words, "Write type='kvm' or type='qemu'.")


@rule(Severity.ERROR, Refuses.QEMU, "<size> is 0")
def size_zero(element: Element, label: str, example: str, state: str) -> Problem:
    """QEMU's memory backends do not take 0 as their size. libvirt reads it and says nothing."""
    return Problem(element, f"{label} {state}", f"Write {example}.")


@rule(Severity.ERROR, Refuses.QEMU, "a cell without memory")
def cell_zero(element: Element, label: str, example: str, state: str) -> Problem:
    """QEMU's memory backends do not take 0 as their size. libvirt reads memory='0' and says nothing."""
    return Problem(element, f"{label} {state}", f"Write {example}.")


@rule(Severity.WARNING, Refuses.NOBODY, "libvirt rounds the value up")
def value_rounded(value: Value, given: int, rounded: int, step: int, *, binary: bool = False) -> Problem:
    """libvirt counts in KiB, rounds cells and <maxMemory> up to 1 MiB and devices to 2 MiB, and says nothing.

    With `binary` a power of two is wanted: what is rounded to none is not written.
    """
    return Problem(
        value.element,
        f"{value.label} is {human(given)}, which libvirt rounds up to {human(rounded)}, a multiple of {human(step)}",
        f"{human(rounded)} is what you get.",
        None if binary and not is_power_of_two(rounded) else safe(value.element, Part.SIZE, rounded, value.attribute),
    )


@rule(Severity.ERROR, Refuses.OURS, "automatic NUMA placement is numad's to decide, on the host")
def numatune_auto(value: Value) -> Problem:
    """libvirt asks numad each time that it starts the domain, and the answer depends on what runs then."""
    return Problem(
        value.element,
        f"{value.label} is 'auto', and only numad on the host can say which nodes that means",
        "Write <numatune><memory nodeset='…'/></numatune>.",
    )


@rule(Severity.ERROR, Refuses.LIBVIRT, "more than one <numatune>")
def numatune_repeated(element: Element) -> Problem:
    """virDomainNumatuneParseXML allows one."""
    return Problem(element, "this is a second <numatune>", "Put both into one.")


@rule(Severity.ERROR, Refuses.LIBVIRT, "a <memory> device has no model that libvirt knows")
def memory_model(value: Value, models: Iterable[str]) -> Problem:
    """virDomainMemoryModelTypeFromString; virtio-mem since libvirt 7.9. There is no default."""
    near = nearest(value.text, models)
    seen = "absent" if value.element.get(value.attribute) is None else quoted(value.text)
    return Problem(
        value.element,
        f"{value.label} is {seen}",
        instead(near, models),
        value.rewritten(near) if near else None,
    )


@rule(Severity.ERROR, Refuses.LIBVIRT, "a part of the PCI address is out of range")
def pci_address_range(value: Value, limit: int, domain: int = 0) -> Problem:
    """virPCIDeviceAddressIsValid, and virDomainPCIAddressValidate: a guest has PCI domain 0 alone (libvirt 7.9)."""
    if domain:
        return Problem(
            value.element,
            f"{value.label} is {domain:#06x}, and a guest has PCI domain 0 alone",
            "Write domain='0x0000'.",
            unsafe(value.element, Part.ATTRIBUTE, "0x0000", value.attribute),
        )
    return _out_of_range(value, limit)


def _out_of_range(value: Value, limit: int) -> Problem:
    return Problem(
        value.element,
        f"{value.label} is {quoted(value.text)}, and the limit is {limit:#x}",
        f"Write a number from 0 to {limit:#x}.",
        unsafe(value.element, Part.REMOVE),
    )


@rule(Severity.ERROR, Refuses.LIBVIRT, "a CCW address gives some of cssid, ssid and devno, but not all")
def ccw_partial(element: Element, missing: Iterable[str]) -> Problem:
    """virDomainDeviceCCWAddressParseXML takes all of them or none."""
    words = f"<address type='ccw'> lacks {' and '.join(missing)}"
    return Problem(element, words, "Write cssid, ssid and devno, or none of them.")


# What libvirt passes over


@rule(Severity.WARNING, Refuses.NOBODY, "libvirt keeps no alias that does not begin with 'ua-'")
def alias_ignored(value: Value) -> Problem:
    """Of a domain that is not running, libvirt keeps the user's aliases alone (3.9): other names are its to give."""
    return Problem(
        value.element,
        f"{value.label} is {quoted(value.text)}, which libvirt drops",
        "Write 'ua-' and then letters of a to z, digits, '_' or '-'; or remove it.",
        safe(value.element, Part.REMOVE),
    )


@rule(Severity.WARNING, Refuses.NOBODY, "libvirt reports <current>, and never reads it")
def current_ignored(element: Element) -> Problem:
    """libvirt writes it from what QEMU reports (7.9)."""
    return Problem(
        element,
        "<current> is what libvirt reports of a running guest, and it never reads it",
        "Remove it; <requested> is what the guest is to have.",
        safe(element, Part.REMOVE),
    )


@rule(Severity.WARNING, Refuses.NOBODY, "libvirt ignores an attribute of another element")
def attribute_misplaced(value: Value, home: str) -> Problem:
    """libvirt reads the attributes it knows and passes over all others, unless it is told to validate."""
    words = f"{value.label} is given, and '{value.attribute}' is an attribute of {home}"
    return Problem(value.element, words, f"Give it to {home}.")


@rule(Severity.WARNING, Refuses.NOBODY, "libvirt ignores an attribute that it does not know")
def attribute_unknown(value: Value, near: str | None, known: Iterable[str], *, alone: bool = True) -> Problem:
    """libvirt reads the attributes that it knows and passes over the rest, unless it is told to validate.

    `alone`: no other attribute of the element seems to mean the same one.
    """
    free = alone and near is not None and near not in value.element.attrib
    return Problem(
        value.element,
        f"{value.label} is unknown to libvirt, which ignores it",
        instead(near, known, "Remove it, or take one of") if known else "Remove it.",
        safe(value.element, Part.ATTRIBUTE_NAME, near, value.attribute) if near and free else None,
    )


@rule(Severity.WARNING, Refuses.NOBODY, "libvirt ignores an element in the wrong place")
def element_misplaced(element: Element, home: str) -> Problem:
    """libvirt looks for each element in one place and passes over all others, unless it is told to validate."""
    parent = element.getparent()
    return Problem(
        element,
        f"<{element.tag!s}> stands in <{'' if parent is None else parent.tag!s}>, where libvirt ignores it: it "
        f"belongs in {home}",
        f"Move it into {home}.",
    )


@rule(Severity.WARNING, Refuses.NOBODY, "libvirt reads the first of an element given twice")
def element_repeated(element: Element, parent: Element) -> Problem:
    """libvirt looks for the first element of that name."""
    return Problem(
        element,
        f"<{element.tag!s}> is given twice in <{parent.tag!s}>, where libvirt expects one",
        "Remove one: what this one says may be lost.",
    )


@rule(Severity.WARNING, Refuses.NOBODY, "libvirt ignores an element that it does not know")
def element_unknown(
    element: Element, parent: Element | None, near: str | None, known: Iterable[str], *, alone: bool = True
) -> Problem:
    """libvirt reads the elements that it knows and passes over the rest. Without `known` only `near` is advised.

    `alone`: no other element beside it seems to mean the same one.
    """
    where = f"<{element.tag!s}> in <{parent.tag!s}>" if parent is not None else f"<{element.tag!s}>"
    above = element.getparent()
    free = alone and near is not None and above is not None and above.find(near) is None
    return Problem(
        element,
        f"{quoted(where)[1:-1]} is unknown to libvirt, which ignores it",
        instead(near, known, "Remove it, or take one of") if near or known else "Remove it.",
        safe(element, Part.TAG, near) if near and free else None,
    )


# What is said of comments and by the schema


@rule(Severity.WARNING, Refuses.NOBODY, "a comment suppresses a rule that does not exist")
def suppression_unknown(element: Element, name: str, near: str | None, form: str) -> Problem:
    """A misspelt name would go unnoticed. These comments are ours alone."""
    return Problem(
        element,
        f"the comment before it names {quoted(name)}, which is no rule",
        f"Did you mean '{near}'?" if near else f"Write {form}; `virtmem explain` lists the rules.",
    )


@rule(Severity.WARNING, Refuses.NOBODY, "a comment suppresses what is not there")
def suppression_unused(element: Element, rule_id: str) -> Problem:
    """What is no longer needed hides the next mistake of the same kind."""
    words = f"the comment before it ignores {rule_id}, which finds nothing here"
    return Problem(element, words, "Remove the comment.")


@rule(Severity.WARNING, Refuses.NOBODY, "the domain does not fit libvirt's schema")
def schema_mismatch(element: Element, words: str, path: str) -> Problem:
    """libvirt checks its schema only when it is told to, as with virsh define --validate."""
    parent = element.getparent()
    where = f"<{element.tag!s}>" + (f" in <{parent.tag!s}>" if parent is not None else "")
    return Problem(
        element,
        f"{cut(where)} does not fit libvirt's schema{cut(words, 300)}",
        f"Compare it with {quoted(path)}, which may be of an older libvirt than yours.",
    )


def _meant(text: str, values: Iterable[str]) -> str | None:
    """The value that a wrong one seems to mean; what says yes or no is known in several words."""
    word = text.strip().lower()
    for answers in (("yes", "on", "true", "1"), ("no", "off", "false", "0")):
        if word in answers:
            return next((value for value in values if value in answers), None)
    return nearest(text, values)
