"""settle: what goes together, where neither a finding nor a golden shows it."""

from domains import X86, edited
from judging import settled

from virtmem_cli.target import Target
from virtmem_cli.units import MIB


def test_controllers_without_address_get_slots_of_bus_0_from_the_last_down() -> None:
    """As long as there are any: slot 0 is the host bridge's."""
    controllers = "".join(f"<controller type='pci' index='{n}' model='pci-bridge'/>" for n in range(1, 32))
    whole = Target(scope="machine")
    addresses = settled(edited(X86, ("<devices>", f"<devices>{controllers}")).encode(), whole).controller_addresses
    assert {bus: address.slot for bus, address in addresses.items()} == {bus: 31 - bus for bus in range(1, 31)}


def test_boot_memory_is_what_sizes_leave_of_memory_as_they_are_written() -> None:
    """Without cells: by what a device is rounded up comes on top (libvirt 12.8)."""
    start, end = X86.index("  <cpu>"), X86.index("  <devices>")
    data = edited(X86[:start] + X86[end:], ("<size unit='GiB'>8</size>", "<size>1048577</size>"))
    its = settled(data.encode())
    assert (its.devices_size, its.boot_memory) == (1026 * MIB, (12 * 1024 - 1024) * MIB)
