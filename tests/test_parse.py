"""parse: what is read of a domain, where no finding shows it."""

from typing import get_args

import pytest
from domains import X86, edited
from judging import parsed

from virtmem_cli.document.tree import parse_tree
from virtmem_cli.domain import DeviceElement, Domain, DomainElement, OtherMemory, Topology
from virtmem_cli.parse.known import DEVICE, ONCE, SOURCE, TARGET
from virtmem_cli.parse.machine import emulator
from virtmem_cli.units import GIB, MIB


def domain(*changes: tuple[str, str]) -> Domain:
    return parsed(edited(X86, *changes).encode())


def test_the_elements_that_are_kept_by_name_are_those_that_are_known() -> None:
    """The address in <target> goes by the name of what it gives, since the device's own has that name."""
    within = {*DEVICE.children, *SOURCE.children, *("memaddr" if tag == "address" else tag for tag in TARGET.children)}
    assert set(get_args(DeviceElement)) == within
    assert set(get_args(DomainElement)) <= {*ONCE, "launchSecurity"}


def test_a_cpu_feature_is_on_or_off_by_its_policy() -> None:
    policies = ("force", "require", "optional", "disable", "forbid", "guess")
    features = "".join(f"<feature name='{policy}' policy='{policy}'/>" for policy in policies)
    cpu = domain(("<cpu>", f"<cpu>{features}<feature name='none'/><feature policy='force'/><flag name='other'/>")).cpu
    assert cpu.features == {
        "force": True,
        "require": True,
        "optional": True,
        "disable": False,
        "forbid": False,
        "none": True,
    }


def test_a_number_of_a_topology_that_is_zero_or_absent_is_one() -> None:
    assert domain(("<cpu>", "<cpu><topology sockets='0' cores='4'/>")).topology == Topology(1, 1, 1, 4, 1)


def test_no_threads_and_no_vcpus_at_start_are_as_none_given() -> None:
    """With 0 libvirt has threads as QEMU likes, and all vCPUs."""
    allocation = "<memoryBacking><allocation mode='immediate' threads='0'/></memoryBacking>"
    assert domain(("<cpu>", f"{allocation}<cpu>")).backing.threads == 0
    assert domain(("<vcpu>", "<vcpu current='0'>")).vcpus_current == 4


def test_a_controller_has_the_numbers_of_its_target() -> None:
    (controller,) = domain(
        (
            "<devices>",
            "<devices><controller type='pci' index='3' model='pci-expander-bus'><model name='pxb'/>"
            "<target chassis='0x10' chassisNr='2' port='010' busNr='254'><x/><node>1</node></target></controller>",
        )
    ).controllers
    numbers = {"chassis": 16, "chassisNr": 2, "port": 8, "busNr": 254, "node": 1}
    assert (controller.bus, controller.driver, controller.numbers) == (3, "pxb", numbers)


def test_controllers_without_index_get_the_first_free() -> None:
    controllers = "".join(f"<controller type='pci'{index}/>" for index in ("", " index='0'", " index='2'", "", ""))
    buses = [controller.bus for controller in domain(("<devices>", f"<devices>{controllers}")).controllers]
    assert buses == [1, 0, 2, 3, 4]


def test_a_dimm_has_what_it_says() -> None:
    dimm = (
        "<memory model='dimm' access='shared' discard='yes'><source><pagesize unit='MiB'>2</pagesize>"
        "<nodemask>0-1</nodemask></source><target><size unit='GiB'>1</size><node>0</node></target>"
        "<driver slot='1'/><address type='dimm' slot='0x2' base='0x200000000'/></memory></devices>"
    )
    _, device = domain(("</devices>", dimm)).memory_devices
    assert isinstance(device, OtherMemory)
    assert (device.shared, device.discard, device.pagesize, device.nodemask) == (True, True, 2 * MIB, (0, 1))
    assert (device.slot, device.memaddr, device.node, device.alias) == (2, 8 * GIB, 0, "dimm2")


@pytest.mark.parametrize(
    ("devices", "path"), [("<emulator>/a</emulator>", "/a"), ("<emulator/>", None), ("", None)], ids=["path", "", "no"]
)
def test_the_emulator_is_a_path_or_none(devices: str, path: str | None) -> None:
    elsewhere = "<x><emulator>/b</emulator></x>"
    root = parse_tree(edited(X86, ("<devices>", f"{elsewhere}<devices>{devices}")).encode(), "test.xml")
    assert emulator(root) == path
