"""What the rules mean, for people: explanation, source, and for each rule a wrong example and the right one.

The other half of `findings.RULES`, in a room of its own since only `explain`, SARIF and the docs read it. An example is
a piece of XML in a whole domain: tests hold that the wrong one raises exactly its rule, and the right one nothing.
"""

import re
from collections.abc import Mapping
from textwrap import dedent, indent, wrap
from typing import NamedTuple

from virtmem_cli.findings import RULES, Rule, Severity
from virtmem_cli.render import Piece

X86 = """\
<domain type='kvm'>
  <name>guest</name>
  <maxMemory unit='GiB'>16</maxMemory>
  <memory unit='GiB'>12</memory>
  <vcpu>4</vcpu>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
  </os>
  <cpu>
    <numa>
      <cell id='0' cpus='0-3' memory='4' unit='GiB'/>
    </numa>
  </cpu>
  <devices>
    <memory model='virtio-mem'>
      <target>
        <size unit='GiB'>8</size>
        <node>0</node>
        <block unit='MiB'>2</block>
        <requested unit='GiB'>1</requested>
      </target>
    </memory>
  </devices>
</domain>
"""
S390X = """\
<domain type='kvm'>
  <name>guest</name>
  <maxMemory unit='GiB'>16</maxMemory>
  <memory unit='GiB'>12</memory>
  <vcpu>4</vcpu>
  <os>
    <type arch='s390x' machine='s390-ccw-virtio'>hvm</type>
  </os>
  <devices>
    <memory model='virtio-mem'>
      <target>
        <size unit='GiB'>8</size>
        <block unit='MiB'>1</block>
        <requested unit='GiB'>1</requested>
      </target>
    </memory>
  </devices>
</domain>
"""


class Entry(NamedTuple):
    """One rule's explanation.

    `setting` has changes to `base`, old and new, that both examples share; `right` stands in what comes of them just
    once, and `wrong` in its place makes the wrong example. `options` are what `virtmem check` needs to see it, and
    `host` the host file, where only one such host shows it.
    """

    meaning: str
    reason: str
    right: str
    wrong: str
    setting: tuple[tuple[str, str], ...] = ()
    base: str = X86
    options: tuple[str, ...] = ()
    host: str = ""

    def needs(self) -> list[str]:
        """What shows the wrong example, in words."""
        words = [f"`{' '.join(self.options)}`"] if self.options else []
        return words + ([f"a host file of `{self.host.strip()}`"] if self.host else [])


_CELL = "      <cell id='0' cpus='0-3' memory='4' unit='GiB'/>\n"
_TWO_CELLS = (
    _CELL,
    "      <cell id='0' cpus='0-1' memory='2' unit='GiB'/>\n      <cell id='1' cpus='2-3' memory='2' unit='GiB'/>\n",
)


# A second device after the first, whose 8 GiB and 4 GiB of boot memory leave just this of <maxMemory>.
_SECOND = """\
    <memory model='virtio-mem'>
      <target>
        <size unit='GiB'>4</size>
        <node>0</node>
        <block unit='MiB'>2</block>
        <requested unit='GiB'>1</requested>
      </target>
    </memory>
"""
_END = "    </memory>\n  </devices>\n"
_WITH_SECOND = ("  </devices>\n", f"{_SECOND}  </devices>\n")
_TARGET = (
    "        <size unit='GiB'>8</size>\n"
    "        <node>0</node>\n"
    "        <block unit='MiB'>2</block>\n"
    "        <requested unit='GiB'>1</requested>\n"
)

# What several examples have beside the base.
_SHARED = ("<memory model='virtio-mem'>", "<memory model='virtio-mem' access='shared'>")
_WITH_VIRTIOFS = (
    "  <devices>\n",
    "  <devices>\n    <filesystem type='mount' accessmode='passthrough'>\n"
    "      <driver type='virtiofs'/>\n      <source dir='/srv'/>\n      <target dir='srv'/>\n"
    "    </filesystem>\n",
)
_WITH_MEMFD = ("  <vcpu>", "  <memoryBacking>\n    <source type='memfd'/>\n  </memoryBacking>\n  <vcpu>")
_WITH_NODEMASK = (
    "      <target>\n",
    "      <source>\n        <nodemask>0-1</nodemask>\n      </source>\n      <target>\n",
)
_WITH_CONTROLLER = (
    "    <memory model='virtio-mem'>\n",
    "    <controller type='pci' index='1' model='pcie-root-port'/>\n"
    "    <memory model='virtio-mem'>\n"
    "      <address type='pci' domain='0x0000' bus='0x01' slot='0x00' function='0x0'/>\n",
)


RULEBOOK: Mapping[str, Entry] = {
    "value-missing": Entry(
        meaning="An element or attribute that must be there is absent, or nothing is in it. libvirt does "
        "not define the domain.",
        reason="libvirt has no default for it. An absent <block> counts as 0, which is no power of two, and "
        "virDomainMemoryDefValidate refuses that, since virtio-mem is there (libvirt 7.9.0).",
        right="        <size unit='GiB'>8</size>\n"
        "        <node>0</node>\n"
        "        <block unit='MiB'>2</block>\n"
        "        <requested unit='GiB'>1</requested>",
        wrong="        <size unit='GiB'>8</size>\n        <node>0</node>\n        <requested unit='GiB'>1</requested>",
    ),
    "value-unknown": Entry(
        meaning="The attribute or element takes one of a few words, and this is none of them. libvirt does "
        "not define the domain.",
        reason="libvirt looks such words up in a table and compares them exactly, upper and lower case too. "
        "What it does not find there is an error, unlike an element or attribute whose name it does not "
        "know, which it ignores.",
        right="    <memory model='virtio-mem' access='shared'>",
        wrong="    <memory model='virtio-mem' access='share'>",
        setting=(_SHARED,),
    ),
    "number-invalid": Entry(
        meaning="The text is not a whole number in the form that libvirt reads. libvirt does not define the domain.",
        reason="libvirt reads numbers with strtoull (virStrToLong) and takes nothing after the digits: no "
        "unit, no decimal point and no white space. The unit of a size goes into the attribute unit.",
        right="        <size unit='GiB'>8</size>",
        wrong="        <size>8GiB</size>",
    ),
    "number-too-large": Entry(
        meaning="The number is above what libvirt can hold or allows there. Often it is a number of bytes "
        "beside a larger unit. libvirt does not define the domain.",
        reason="A size may be at most 9223372036854775807 bytes (2^63 - 1) once its unit is applied: "
        "virScaleInteger refuses more. Other numbers have limits of their own, which the message names.",
        right="        <size unit='bytes'>8589934592</size>",
        wrong="        <size unit='GiB'>8589934592</size>",
        setting=(("<size unit='GiB'>8</size>", "<size unit='bytes'>8589934592</size>"),),
    ),
    "unit-unknown": Entry(
        meaning="The attribute unit is none of the units that libvirt knows. libvirt does not define the domain.",
        reason="virScaleInteger knows b, byte and bytes, and the letters K, M, G, T, P and E: alone or with "
        "iB they are powers of 1024, with B powers of 1000. Upper and lower case are the same. Without a "
        "unit, sizes are in KiB.",
        right="        <size unit='GiB'>8</size>",
        wrong="        <size unit='Gi'>8</size>",
    ),
    "nodeset-invalid": Entry(
        meaning="A list of NUMA nodes or CPUs cannot be read, or leaves none. libvirt does not define the domain.",
        reason="virBitmapParse reads numbers and ranges with commas between, and ^ before a number takes it "
        "out again, as in 0-3,^2. It knows no words such as numactl's all, and each number is below 16384.",
        right="        <nodemask>0-1</nodemask>",
        wrong="        <nodemask>all</nodemask>",
        setting=(_WITH_NODEMASK,),
    ),
    "name-invalid": Entry(
        meaning="The domain's name holds a '/' or a line break. libvirt does not define the domain.",
        reason="libvirt makes file names of the name, such as /etc/libvirt/qemu/guest.xml, in which a '/' "
        "would be another directory.",
        right="  <name>shop-database</name>",
        wrong="  <name>shop/database</name>",
        setting=(("<name>guest</name>", "<name>shop-database</name>"),),
    ),
    "controller-index": Entry(
        meaning="Two PCI controllers have the same index, so that it is not clear which bus an address "
        "means. libvirt does not define the domain.",
        reason="The index is the number of the bus that the controller provides, and <address bus> names "
        "it. virDomainDefRejectDuplicateControllers wants each once, among controllers of one type.",
        right="    <controller type='pci' index='1' model='pcie-root-port'/>\n"
        "    <controller type='pci' index='2' model='pcie-root-port'/>",
        wrong="    <controller type='pci' index='1' model='pcie-root-port'/>\n"
        "    <controller type='pci' index='1' model='pcie-root-port'/>",
        setting=(
            (
                "  <devices>\n",
                "  <devices>\n"
                "    <controller type='pci' index='1' model='pcie-root-port'/>\n"
                "    <controller type='pci' index='2' model='pcie-root-port'/>\n",
            ),
        ),
    ),
    "controller-model": Entry(
        meaning="The machine type has no PCI controller of that model at that place. libvirt does not "
        "define the domain. On q35, as here, and on virt, bus 0 is a pcie-root; on pc it is a pci-root.",
        reason="Bus 0 comes with the machine: <controller index='0'> names it and does not choose it. Ports "
        "and switches of PCI Express need a pcie-root there, and a pci-expander-bus needs a pci-root.",
        right="    <controller type='pci' index='0' model='pcie-root'/>",
        wrong="    <controller type='pci' index='0' model='pci-root'/>",
        setting=(("  <devices>\n", "  <devices>\n    <controller type='pci' index='0' model='pcie-root'/>\n"),),
    ),
    "ccw-partial": Entry(
        meaning="The CCW address gives only one or two of cssid, ssid and devno. libvirt does not define the domain.",
        reason="The three belong together: QEMU gets them as one value, such as fe.0.0002. libvirt "
        "(virDomainDeviceCCWAddressParseXML) takes all of them or none, and chooses a free address when "
        "none is given.",
        right="      <address type='ccw' cssid='0xfe' ssid='0x0' devno='0x0002'/>",
        wrong="      <address type='ccw' devno='0x0002'/>",
        base=S390X,
        setting=(
            (
                "      </target>\n",
                "      </target>\n      <address type='ccw' cssid='0xfe' ssid='0x0' devno='0x0002'/>\n",
            ),
        ),
    ),
    "address-type": Entry(
        meaning="The device's <address> is of a type that it cannot have on this machine. libvirt does not "
        "define the domain.",
        reason="virtio-mem is a virtio device, and no DIMM, though both are <memory>. It is on a PCI bus, "
        "or, on s390x, on PCI or CCW.",
        right="      <address type='pci' domain='0x0000' bus='0x00' slot='0x05' function='0x0'/>",
        wrong="      <address type='dimm' slot='0'/>",
        setting=(
            (
                "      </target>\n",
                "      </target>\n      <address type='pci' domain='0x0000' bus='0x00' slot='0x05' function='0x0'/>\n",
            ),
        ),
    ),
    "block-below-thp": Entry(
        meaning="<block> is smaller than a transparent huge page of the host: 2 MiB on x86_64, 1 MiB on "
        "s390x, and up to 512 MiB on aarch64 with 64 KiB pages. libvirt does not define the domain.",
        reason="Each block is given and taken by itself, so that smaller ones would split the host's huge "
        "pages. virDomainMemoryDefValidate refuses them since virtio-mem is there (libvirt 7.9.0); QEMU "
        "only warns, down to 1 MiB.",
        right="        <block unit='MiB'>2</block>",
        wrong="        <block unit='MiB'>1</block>",
    ),
    "ccw-duplicate": Entry(
        meaning="Two devices have the same cssid, ssid and devno. libvirt does not define the domain.",
        reason="A guest finds a channel device by this number alone. libvirt (virDomainCCWAddressAssign) "
        "keeps the set of those that are taken, over devices of all kinds.",
        right="    <memballoon model='virtio'>\n"
        "      <address type='ccw' cssid='0xfe' ssid='0x0' devno='0x0001'/>\n"
        "    </memballoon>\n"
        "    <memory model='virtio-mem'>\n"
        "      <address type='ccw' cssid='0xfe' ssid='0x0' devno='0x0002'/>",
        wrong="    <memballoon model='virtio'>\n"
        "      <address type='ccw' cssid='0xfe' ssid='0x0' devno='0x0001'/>\n"
        "    </memballoon>\n"
        "    <memory model='virtio-mem'>\n"
        "      <address type='ccw' cssid='0xfe' ssid='0x0' devno='0x0001'/>",
        base=S390X,
        setting=(
            (
                "    <memory model='virtio-mem'>\n",
                "    <memballoon model='virtio'>\n"
                "      <address type='ccw' cssid='0xfe' ssid='0x0' devno='0x0001'/>\n"
                "    </memballoon>\n"
                "    <memory model='virtio-mem'>\n"
                "      <address type='ccw' cssid='0xfe' ssid='0x0' devno='0x0002'/>\n",
            ),
        ),
    ),
    "ccw-node": Entry(
        meaning="A virtio-mem device on CCW is on a guest node other than 0. libvirt does not define the domain.",
        reason="s390x has no guest NUMA nodes in QEMU, which refuses -numa there, so that all memory is on "
        "node 0. Without <numa>, leave <node> out.",
        right="        <size unit='GiB'>8</size>\n        <node>0</node>",
        wrong="        <size unit='GiB'>8</size>\n        <node>1</node>",
        base=S390X,
        setting=(
            (
                "  <devices>\n",
                "  <cpu>\n    <numa>\n      <!-- virtmem: ignore=s390x-cells -->\n"
                f"{_TWO_CELLS[1]}    </numa>\n  </cpu>\n"
                "  <devices>\n",
            ),
            ("<size unit='GiB'>8</size>\n", "<size unit='GiB'>8</size>\n        <node>0</node>\n"),
        ),
    ),
    "ccw-page-size": Entry(
        meaning="The memory behind a virtio-mem device on CCW has pages of another size than boot memory, "
        "here 1 MiB beside 4 KiB. libvirt does not define the domain.",
        reason="KVM on s390x takes no device memory with larger pages than boot memory's, and QEMU then "
        "refuses the device (since 10.0, where virtio-mem-ccw came). libvirt refuses any difference.",
        right="        <pagesize unit='KiB'>4</pagesize>",
        wrong="        <pagesize unit='MiB'>1</pagesize>",
        base=S390X,
        setting=(
            _WITH_MEMFD,
            (
                "      <target>\n",
                "      <source>\n        <pagesize unit='KiB'>4</pagesize>\n      </source>\n      <target>\n",
            ),
        ),
    ),
    "cell-cpus": Entry(
        meaning="Two cells name the same CPU, or a cell names one that <vcpu> does not have: CPUs are "
        "counted from 0. libvirt does not define the domain.",
        reason="A CPU is on one NUMA node. virDomainNumaDefParseXML compares each cell's CPUs with the "
        "others', and <vcpu> says how many there are.",
        right="      <cell id='0' cpus='0-1' memory='2' unit='GiB'/>\n"
        "      <cell id='1' cpus='2-3' memory='2' unit='GiB'/>",
        wrong="      <cell id='0' cpus='0-2' memory='2' unit='GiB'/>\n"
        "      <cell id='1' cpus='2-3' memory='2' unit='GiB'/>",
        setting=(_TWO_CELLS,),
    ),
    "cell-ids": Entry(
        meaning="The cells' ids have a hole, do not begin with 0, or stand twice. libvirt does not define the domain.",
        reason="The id is the number of the guest's NUMA node, and guest nodes are counted from 0 without "
        "holes. virDomainNumaDefParseXML refuses an id that is not below the number of cells. Without any "
        "id, libvirt counts.",
        right="      <cell id='0' cpus='0-1' memory='2' unit='GiB'/>\n"
        "      <cell id='1' cpus='2-3' memory='2' unit='GiB'/>",
        wrong="      <cell id='1' cpus='0-1' memory='2' unit='GiB'/>\n"
        "      <cell id='2' cpus='2-3' memory='2' unit='GiB'/>",
        setting=(_TWO_CELLS,),
    ),
    "host-node": Entry(
        meaning="Memory is bound to a NUMA node that the host does not have, here one with the nodes 0 and "
        "1. libvirt does not start the domain.",
        reason="The kernel cannot bind memory to such a node, and libvirt looks (virNumaNodesetIsAvailable) "
        "before it starts QEMU, which would fail in mbind. Only a host whose nodes are known, by --host, is "
        "judged.",
        right="        <nodemask>0-1</nodemask>",
        wrong="        <nodemask>1-2</nodemask>",
        setting=(_WITH_NODEMASK,),
        host="nodes = '0-1'\n",
    ),
    "hugepages-anonymous": Entry(
        meaning="<hugepages> stands beside <source type='anonymous'>. libvirt does not define the domain.",
        reason="Huge pages come from hugetlbfs or from a memfd, and anonymous memory is from neither. "
        "qemuValidateDomainDefMemory refuses the two together, since virtio-mem is there (libvirt 7.9.0).",
        right="    <hugepages/>\n    <source type='memfd'/>",
        wrong="    <hugepages/>\n    <source type='anonymous'/>",
        setting=(
            (
                "  <vcpu>",
                "  <memoryBacking>\n    <hugepages/>\n    <source type='memfd'/>\n  </memoryBacking>\n  <vcpu>",
            ),
        ),
    ),
    "hugepages-default": Entry(
        meaning="Two <page> elements have no nodeset, so that there are two page sizes for the same memory. "
        "libvirt does not define the domain.",
        reason="A <page> without nodeset is for all nodes that no other <page> names. "
        "virDomainDefMemtuneValidate allows one of them, since virtio-mem is there (libvirt 7.9.0).",
        right="    <hugepages>\n"
        "      <page size='2048' unit='KiB'/>\n"
        "      <page size='1048576' unit='KiB' nodeset='1'/>\n"
        "    </hugepages>",
        wrong="    <hugepages>\n"
        "      <page size='2048' unit='KiB'/>\n"
        "      <page size='1048576' unit='KiB'/>\n"
        "    </hugepages>",
        setting=(
            _TWO_CELLS,
            (
                "  <vcpu>",
                "  <memoryBacking>\n"
                "    <hugepages>\n"
                "      <page size='2048' unit='KiB'/>\n"
                "      <page size='1048576' unit='KiB' nodeset='1'/>\n"
                "    </hugepages>\n"
                "  </memoryBacking>\n"
                "  <vcpu>",
            ),
            ("<block unit='MiB'>2</block>", "<block unit='GiB'>1</block>"),
        ),
    ),
    "hugepages-nodeset": Entry(
        meaning="Two <page> elements name the same guest node, or one names a node that no <cell> is. "
        "libvirt does not define the domain.",
        reason="The nodeset of a <page> lists guest nodes, not the host's, and a node's memory has one page "
        "size. virDomainDefMemtuneValidate refuses the rest, since virtio-mem is there (libvirt 7.9.0).",
        right="    <hugepages>\n"
        "      <page size='2048' unit='KiB' nodeset='0'/>\n"
        "      <page size='1048576' unit='KiB' nodeset='1'/>\n"
        "    </hugepages>",
        wrong="    <hugepages>\n"
        "      <page size='2048' unit='KiB' nodeset='0-1'/>\n"
        "      <page size='1048576' unit='KiB' nodeset='1'/>\n"
        "    </hugepages>",
        setting=(
            _TWO_CELLS,
            (
                "  <vcpu>",
                "  <memoryBacking>\n"
                "    <hugepages>\n"
                "      <page size='2048' unit='KiB' nodeset='0'/>\n"
                "      <page size='1048576' unit='KiB' nodeset='1'/>\n"
                "    </hugepages>\n"
                "  </memoryBacking>\n"
                "  <vcpu>",
            ),
        ),
    ),
    "hugepages-ondemand": Entry(
        meaning="<hugepages> stands beside <allocation mode='ondemand'>. libvirt does not define the domain.",
        reason="libvirt has huge pages allocated beforehand, and qemuValidateDomainDefMemory refuses to be "
        "told otherwise, since virtio-mem is there (libvirt 7.9.0). On the virtio-mem device that is "
        "prealloc (QEMU 7.0), by which a block is allocated before the guest gets it.",
        right="    <hugepages/>\n    <allocation mode='immediate'/>",
        wrong="    <hugepages/>\n    <allocation mode='ondemand'/>",
        setting=(
            (
                "  <vcpu>",
                "  <memoryBacking>\n    <hugepages/>\n    <allocation mode='immediate'/>\n  </memoryBacking>\n  <vcpu>",
            ),
        ),
    ),
    "machine-without-pci": Entry(
        meaning="The machine type has no PCI bus where libvirt could put virtio-mem. libvirt refuses the domain.",
        reason="virtio-mem is a PCI device in QEMU, virtio-mem-pci, but for virtio-mem-ccw on s390x. It is "
        "there for q35 and pc on x86_64 and i686, for virt on aarch64 and for s390-ccw-virtio on s390x.",
        right="    <type arch='x86_64' machine='q35'>hvm</type>",
        wrong="    <type arch='x86_64' machine='microvm'>hvm</type>",
    ),
    "maxmemory-missing": Entry(
        meaning="The domain has a virtio-mem device and no <maxMemory>. libvirt does not define the domain.",
        reason="<maxMemory> sets how much of the guest's address space is kept for memory devices (QEMU's "
        "-m maxmem): without it there is none. libvirt checks that in qemuDomainDefValidateMemoryHotplug, "
        "since virtio-mem is there (libvirt 7.9.0).",
        right="  <maxMemory unit='GiB'>16</maxMemory>\n  <memory unit='GiB'>12</memory>",
        wrong="  <memory unit='GiB'>12</memory>",
    ),
    "memnode-cell": Entry(
        meaning="A <memnode> names a guest node that no <cell> is, or one that another <memnode> names "
        "already. libvirt does not define the domain.",
        reason="cellid is the id of a <cell>, and these are counted from 0: here there is only cell 0. The "
        "check is in virDomainNumatuneNodeParseXML, since virtio-mem is there (libvirt 7.9.0).",
        right="    <memnode cellid='0' mode='strict' nodeset='1'/>",
        wrong="    <memnode cellid='1' mode='strict' nodeset='1'/>",
        setting=(
            (
                "  <os>\n",
                "  <numatune>\n    <memnode cellid='0' mode='strict' nodeset='1'/>\n  </numatune>\n  <os>\n",
            ),
        ),
    ),
    "memnode-restrictive": Entry(
        meaning="One of <memory mode> and <memnode mode> is restrictive, and the other is not. Without mode both "
        "are strict. libvirt does not define the domain.",
        reason="With restrictive, which libvirt has since 7.3.0, the host's cgroups alone keep memory on "
        "its nodes, and QEMU is given no policy. virDomainNumaDefValidate does not let one guest node be an "
        "exception.",
        right="    <memory mode='restrictive' nodeset='0-1'/>\n"
        "    <memnode cellid='0' mode='restrictive' nodeset='0'/>",
        wrong="    <memory mode='restrictive' nodeset='0-1'/>\n    <memnode cellid='0' mode='strict' nodeset='0'/>",
        setting=(
            (
                "  <os>\n",
                "  <numatune>\n"
                "    <memory mode='restrictive' nodeset='0-1'/>\n"
                "    <memnode cellid='0' mode='restrictive' nodeset='0'/>\n"
                "  </numatune>\n"
                "  <os>\n",
            ),
        ),
    ),
    "memory-model": Entry(
        meaning="A <memory> device has no model, or one that libvirt does not know. libvirt does not define "
        "the domain.",
        reason="The models are virtio-mem, virtio-pmem, dimm, nvdimm and sgx-epc, and there is no default. "
        "virtio-mem is known since libvirt 7.9.0. The name is written with '-', unlike that of Linux's "
        "driver, virtio_mem.",
        right="    <memory model='virtio-mem'>",
        wrong="    <memory model='virtio_mem'>",
    ),
    "memory-below-devices": Entry(
        meaning="Without NUMA cells, <memory> is boot memory and memory devices together. Here the device "
        "takes 8 GiB of it, and the guest is left with nothing to boot with. libvirt does not define the "
        "domain.",
        reason="libvirt takes the sizes of all memory devices off <memory>, in full and not only what is "
        "requested, and the rest is boot memory. With cells, <memory> does not matter, since their sum is "
        "boot memory.",
        right="  <memory unit='GiB'>12</memory>",
        wrong="  <memory unit='GiB'>4</memory>",
        setting=((f"  <cpu>\n    <numa>\n{_CELL}    </numa>\n  </cpu>\n", ""),),
    ),
    "node-missing": Entry(
        meaning="The guest has NUMA nodes, and the device does not say on which of them its memory is. "
        "libvirt does not define the domain.",
        reason="Where there are <cell>s, qemuDomainDefValidateMemoryHotplug needs a <node> in each "
        "virtio-mem device and DIMM, since virtio-mem is there (libvirt 7.9.0). With a single cell it is "
        "<node>0</node>.",
        right="        <size unit='GiB'>8</size>\n        <node>0</node>\n        <block unit='MiB'>2</block>",
        wrong="        <size unit='GiB'>8</size>\n        <block unit='MiB'>2</block>",
    ),
    "numatune-repeated": Entry(
        meaning="The domain has more than one <numatune>. libvirt does not define the domain.",
        reason="virDomainNumatuneParseXML allows one, which holds <memory> and each <memnode>. Of most "
        "other elements, libvirt would read the first and say nothing.",
        right="  <numatune>\n"
        "    <memory mode='strict' nodeset='0-1'/>\n"
        "    <memnode cellid='0' mode='strict' nodeset='1'/>\n"
        "  </numatune>",
        wrong="  <numatune>\n"
        "    <memory mode='strict' nodeset='0-1'/>\n"
        "  </numatune>\n"
        "  <numatune>\n"
        "    <memnode cellid='0' mode='strict' nodeset='1'/>\n"
        "  </numatune>",
        setting=(
            (
                "  <os>\n",
                "  <numatune>\n"
                "    <memory mode='strict' nodeset='0-1'/>\n"
                "    <memnode cellid='0' mode='strict' nodeset='1'/>\n"
                "  </numatune>\n"
                "  <os>\n",
            ),
        ),
    ),
    "pagesize-unmounted": Entry(
        meaning="Huge pages of this size are asked for, and the host has no hugetlbfs mounted for them, "
        "here only for 2 MiB. libvirt does not start the domain.",
        reason="Without <source type='memfd'>, libvirt backs huge pages with files, and needs a mount whose "
        "page size is the one asked for. It reports: Unable to find any usable hugetlbfs mount. Hosts often "
        "mount the default size alone.",
        right="    <hugepages>\n      <page size='2' unit='MiB'/>\n    </hugepages>",
        wrong="    <hugepages>\n      <page size='1' unit='GiB'/>\n    </hugepages>",
        setting=(
            (
                "  <vcpu>",
                "  <memoryBacking>\n"
                "    <hugepages>\n"
                "      <page size='2' unit='MiB'/>\n"
                "    </hugepages>\n"
                "  </memoryBacking>\n"
                "  <vcpu>",
            ),
            ("<block unit='MiB'>2</block>", "<block unit='GiB'>1</block>"),
        ),
        host="hugetlbfs = { 2MiB = '/dev/hugepages' }\n",
    ),
    "pci-address-range": Entry(
        meaning="A number of the PCI address is larger than PCI has, or the domain is not 0. libvirt does "
        "not define the domain.",
        reason="PCI has buses up to 0xff, slots up to 0x1f and functions up to 7, and a guest of QEMU's has "
        "PCI domain 0 alone. libvirt (virPCIDeviceAddressIsValid, virDomainPCIAddressValidate) takes no "
        "others, since virtio-mem is there (libvirt 7.9.0).",
        right="      <address type='pci' domain='0x0000' bus='0x00' slot='0x10' function='0x0'/>",
        wrong="      <address type='pci' domain='0x0000' bus='0x00' slot='0x20' function='0x0'/>",
        setting=(
            (
                "      </target>\n",
                "      </target>\n      <address type='pci' domain='0x0000' bus='0x00' slot='0x10' function='0x0'/>\n",
            ),
        ),
    ),
    "pci-bus": Entry(
        meaning="The bus that the address names is for other controllers only. libvirt does not define the domain.",
        reason="A pcie-expander-bus takes ports and bridges, and a pcie-switch-upstream-port takes "
        "pcie-switch-downstream-ports: libvirt knows that from virDomainPCIAddressBusSetModel. A device "
        "goes on a pcie-root-port, which may itself be on such a bus.",
        right="    <controller type='pci' index='1' model='pcie-root-port'/>\n"
        "    <memory model='virtio-mem'>\n"
        "      <address type='pci' domain='0x0000' bus='0x01' slot='0x00' function='0x0'/>",
        wrong="    <controller type='pci' index='1' model='pcie-expander-bus'/>\n"
        "    <memory model='virtio-mem'>\n"
        "      <address type='pci' domain='0x0000' bus='0x01' slot='0x00' function='0x0'/>",
        setting=(_WITH_CONTROLLER,),
    ),
    "pci-slot": Entry(
        meaning="The bus that the address names has no such slot for devices. libvirt does not define the domain.",
        reason="A pcie-root-port and a pcie-switch-downstream-port have slot 0 alone. Bus 0, a pci-bridge "
        "and a pcie-to-pci-bridge keep slot 0 for themselves and have 0x1 to 0x1f. libvirt knows that from "
        "virDomainPCIAddressBusSetModel.",
        right="    <controller type='pci' index='1' model='pcie-root-port'/>\n"
        "    <memory model='virtio-mem'>\n"
        "      <address type='pci' domain='0x0000' bus='0x01' slot='0x00' function='0x0'/>",
        wrong="    <controller type='pci' index='1' model='pcie-root-port'/>\n"
        "    <memory model='virtio-mem'>\n"
        "      <address type='pci' domain='0x0000' bus='0x01' slot='0x01' function='0x0'/>",
        setting=(_WITH_CONTROLLER,),
    ),
    "requested-above-size": Entry(
        meaning="<requested> asks the device for more than <size>, the most that it can ever give. It "
        "counts this device's memory alone, without boot memory. libvirt does not define the domain.",
        reason="virDomainMemoryDefValidate refuses it since virtio-mem is there (libvirt 7.9.0). QEMU would "
        "start: the guest then never gets all that is requested, and nothing says so.",
        right="        <size unit='GiB'>8</size>\n"
        "        <node>0</node>\n"
        "        <block unit='MiB'>2</block>\n"
        "        <requested unit='GiB'>8</requested>",
        wrong="        <size unit='GiB'>8</size>\n"
        "        <node>0</node>\n"
        "        <block unit='MiB'>2</block>\n"
        "        <requested unit='GiB'>12</requested>",
        setting=(("<requested unit='GiB'>1</requested>", "<requested unit='GiB'>8</requested>"),),
    ),
    "domain-type": Entry(
        meaning="The domain's type is one that does not run in QEMU. No arguments are written for it.",
        reason="The type says what runs the guest: kvm is QEMU with the hardware's help (hvf on macOS), and "
        "qemu is QEMU's software emulation. Others, such as xen or lxc, are for other drivers of libvirt's, "
        "which have no virtio-mem.",
        right="<domain type='kvm'>",
        wrong="<domain type='xen'>",
    ),
    "pci-bus-missing": Entry(
        meaning="With --scope machine, the arguments hold the PCI controllers, and none of those in the XML "
        "provides the bus that the address names. No arguments are written.",
        reason="QEMU refuses a device on a bus that it does not have. libvirt would add a controller for "
        "it, and choose that one's address after looking at all devices, which cannot be done here.",
        right="    <controller type='pci' index='1' model='pcie-root-port'/>\n"
        "    <memory model='virtio-mem'>\n"
        "      <address type='pci' domain='0x0000' bus='0x01' slot='0x00' function='0x0'/>",
        wrong="    <controller type='pci' index='1' model='pcie-root-port'/>\n"
        "    <memory model='virtio-mem'>\n"
        "      <address type='pci' domain='0x0000' bus='0x02' slot='0x00' function='0x0'/>",
        setting=(_WITH_CONTROLLER,),
        options=("--scope", "machine"),
    ),
    "numatune-auto": Entry(
        meaning="The host nodes for the guest's memory are to be chosen automatically, by placement='auto' "
        "here or in <vcpu>. The arguments have to name them, and the XML does not say which they will be.",
        reason="libvirt asks the daemon numad for host nodes each time that it starts the domain, and the "
        "answer depends on what runs on the host then. It gives QEMU those nodes as host-nodes.",
        right="    <memory mode='strict' nodeset='0'/>",
        wrong="    <memory mode='strict' placement='auto'/>",
        setting=(("  <os>\n", "  <numatune>\n    <memory mode='strict' nodeset='0'/>\n  </numatune>\n  <os>\n"),),
    ),
    "alias-invalid": Entry(
        meaning=(
            "The alias becomes the device's id in QEMU, and an id is a letter and then letters, digits, '-', "
            "'.' or '_'. With any other character QEMU does not start."
        ),
        reason=(
            "QEMU holds every id to this form (id_wellformed()). Only the XML of a running domain, one with "
            "an id, can bring such an alias here: of a domain that is not running, libvirt keeps aliases "
            "that begin with 'ua-' and hold nothing but letters, digits, '_' and '-'."
        ),
        right="      <alias name='big-memory'/>\n",
        wrong="      <alias name='big memory'/>\n",
        setting=(
            ("<domain type='kvm'>", "<domain type='kvm' id='1'>"),
            (_END, f"      <alias name='big-memory'/>\n{_END}"),
        ),
    ),
    "block-below-minimum": Entry(
        meaning=(
            "The block is smaller than 1 MiB, the least that QEMU's virtio-mem has. QEMU does not start. It "
            "takes a host with small transparent huge pages for libvirt to let such a block pass."
        ),
        reason=(
            "QEMU keeps one bit for each block, and has a minimum of 1 MiB (VIRTIO_MEM_MIN_BLOCK_SIZE) to "
            "keep that bitmap small, since virtio-mem is there (QEMU 5.1). libvirt compares the block with "
            "the host's transparent huge page alone."
        ),
        right="        <block unit='KiB'>1024</block>\n",
        wrong="        <block unit='KiB'>512</block>\n",
        setting=(("<block unit='MiB'>2</block>", "<block unit='KiB'>1024</block>"),),
        host="thp-size = '64KiB'\n",
    ),
    "block-below-page": Entry(
        meaning=(
            "The block is smaller than the pages that back it. The device gives and takes back memory block "
            "by block, and a part of a page cannot be given back: QEMU does not start."
        ),
        reason=(
            "QEMU wants block-size to be at least the page size of the backend, since virtio-mem is there "
            "(QEMU 5.1). libvirt does not compare the two."
        ),
        right=(
            "      <source>\n"
            "        <pagesize unit='GiB'>1</pagesize>\n"
            "      </source>\n"
            "      <target>\n"
            "        <block unit='GiB'>1</block>\n"
        ),
        wrong=(
            "      <source>\n"
            "        <pagesize unit='GiB'>1</pagesize>\n"
            "      </source>\n"
            "      <target>\n"
            "        <block unit='MiB'>2</block>\n"
        ),
        setting=(
            _WITH_MEMFD,
            ("        <block unit='MiB'>2</block>\n", ""),
            (
                "      <target>\n",
                "      <source>\n"
                "        <pagesize unit='GiB'>1</pagesize>\n"
                "      </source>\n"
                "      <target>\n"
                "        <block unit='GiB'>1</block>\n",
            ),
        ),
    ),
    "ccw-property": Entry(
        meaning=(
            "ats and page_per_vq belong to a PCI device; virtio-mem on the channel bus of s390x has no such "
            "properties. libvirt writes them nevertheless, and QEMU does not start."
        ),
        reason=(
            "QEMU defines ats and page-per-vq for virtio-mem-pci, and not for virtio-mem-ccw, which is there "
            "since QEMU 10.0. iommu and packed are there for both."
        ),
        right=("      <driver iommu='on'/>\n      <address type='ccw' cssid='0xfe' ssid='0x0' devno='0x0002'/>\n"),
        wrong=(
            "      <driver iommu='on' ats='on'/>\n      <address type='ccw' cssid='0xfe' ssid='0x0' devno='0x0002'/>\n"
        ),
        setting=(
            (
                _END,
                "      <driver iommu='on'/>\n"
                f"      <address type='ccw' cssid='0xfe' ssid='0x0' devno='0x0002'/>\n{_END}",
            ),
        ),
        base=S390X,
    ),
    "dynamic-memslots-machine": Entry(
        meaning=(
            "The device has dynamicMemslots='yes', and the machine type is older than 7.0. QEMU does not "
            "start. An existing guest that has to keep its machine type does without dynamicMemslots."
        ),
        reason=(
            "With dynamic-memslots, unplugged memory is not there for the guest to read, so that QEMU wants "
            "unplugged-inaccessible=on beside it. x86 machine types up to 6.2 have it off, for guests of "
            "their time (pc_compat_6_2). dynamic-memslots is there since QEMU 8.2 and libvirt 10.1.0."
        ),
        right="    <type arch='x86_64' machine='pc-q35-8.2'>hvm</type>\n",
        wrong="    <type arch='x86_64' machine='pc-q35-6.2'>hvm</type>\n",
        setting=(("machine='q35'", "machine='pc-q35-8.2'"), ("<target>", "<target dynamicMemslots='yes'>")),
    ),
    "launch-security": Entry(
        meaning=(
            "The guest's memory is encrypted by SEV, or protected by s390x protected virtualization, and "
            "cannot be given back to the host. A SEV guest with virtio-mem does not start; an s390x guest "
            "with it cannot become protected."
        ),
        reason=(
            "QEMU disables the discarding of RAM for these guests (ram_block_discard_disable()), and "
            "virtio-mem cannot do without it. libvirt does not look for the two together."
        ),
        right="    </memory>\n  </devices>\n</domain>\n",
        wrong=(
            "    </memory>\n"
            "  </devices>\n"
            "  <launchSecurity type='sev'>\n"
            "    <policy>0x0003</policy>\n"
            "  </launchSecurity>\n"
            "</domain>\n"
        ),
    ),
    "hotplug-gap": Entry(
        meaning=(
            "<maxMemory> is large enough for all devices in sum, but the addresses that are left are in "
            "pieces too small for this one. QEMU does not start."
        ),
        reason=(
            "A device needs one range of guest addresses, at a multiple of its block. QEMU takes the first "
            "that is free (memory_device_get_free_addr()), in the order of the devices, and moves none that "
            "it has placed. An <address base> in the middle, or large pages, leave gaps. libvirt only adds "
            "up the sizes."
        ),
        right=(
            "        <size unit='GiB'>4</size>\n"
            "        <address base='0x180000000'/>\n"
            "      </target>\n"
            "    </memory>\n"
            "    <memory model='virtio-mem'>\n"
            "      <target>\n"
            "        <size unit='GiB'>8</size>\n"
        ),
        wrong=(
            "        <size unit='GiB'>4</size>\n"
            "        <address base='0x280000000'/>\n"
            "      </target>\n"
            "    </memory>\n"
            "    <memory model='virtio-mem'>\n"
            "      <target>\n"
            "        <size unit='GiB'>8</size>\n"
        ),
        setting=(
            ("<memory unit='GiB'>12<", "<memory unit='GiB'>16<"),
            (
                "        <size unit='GiB'>8</size>\n",
                "        <node>0</node>\n"
                "        <block unit='MiB'>2</block>\n"
                "        <requested unit='GiB'>1</requested>\n"
                "        <size unit='GiB'>4</size>\n"
                "        <address base='0x180000000'/>\n"
                "      </target>\n"
                "    </memory>\n"
                "    <memory model='virtio-mem'>\n"
                "      <target>\n"
                "        <size unit='GiB'>8</size>\n",
            ),
        ),
    ),
    "memaddr-outside": Entry(
        meaning=(
            "<address base> is not in the range of guest addresses that the machine has for memory devices, "
            "or the device goes beyond its end. QEMU does not start. Unless the guest needs that very "
            "address, leave it out: QEMU finds one."
        ),
        reason=(
            "QEMU's range begins at a whole GiB after boot memory, on x86 at 4 GiB or later, and is as large "
            "as <maxMemory> less boot memory, on x86 and aarch64 with 1 GiB more for each slot. libvirt does "
            "not know where it lies; the finding names it."
        ),
        right="        <address base='0x180000000'/>\n",
        wrong="        <address base='0x100000000'/>\n",
        setting=(("      </target>\n", "        <address base='0x180000000'/>\n      </target>\n"),),
    ),
    "memaddr-taken": Entry(
        meaning=(
            "<address base> is in the way of a device that names no address: QEMU has placed that one there "
            "by the time it comes to this one. QEMU does not start."
        ),
        reason=(
            "QEMU places the devices in their order, each without an address into the first gap that is "
            "large enough (memory_device_get_free_addr()). libvirt compares only addresses that the XML "
            "gives."
        ),
        right=(
            "        <size unit='GiB'>8</size>\n"
            "      </target>\n"
            "    </memory>\n"
            "    <memory model='virtio-mem'>\n"
            "      <target>\n"
            "        <size unit='GiB'>4</size>\n"
            "        <address base='0x380000000'/>\n"
        ),
        wrong=(
            "        <size unit='GiB'>8</size>\n"
            "      </target>\n"
            "    </memory>\n"
            "    <memory model='virtio-mem'>\n"
            "      <target>\n"
            "        <size unit='GiB'>4</size>\n"
            "        <address base='0x280000000'/>\n"
        ),
        setting=(
            ("<memory unit='GiB'>12<", "<memory unit='GiB'>16<"),
            _WITH_SECOND,
            (
                "<size unit='GiB'>4</size>\n",
                "<size unit='GiB'>4</size>\n        <address base='0x380000000'/>\n",
            ),
            (
                _TARGET,
                "        <node>0</node>\n"
                "        <block unit='MiB'>2</block>\n"
                "        <requested unit='GiB'>1</requested>\n"
                "        <size unit='GiB'>8</size>\n",
            ),
        ),
    ),
    "memory-locked": Entry(
        meaning=(
            "<locked/> keeps all of the guest's memory in the host's RAM, also what the guest does not have "
            "yet, and virtio-mem lives on giving memory back. QEMU does not start with both."
        ),
        reason=(
            "For <locked/> libvirt gives QEMU -overcommit mem-lock=on, and virtio-mem then says "
            "'Incompatible with mlock', since virtio-mem is there (QEMU 5.1)."
        ),
        right="  <memoryBacking>\n    <nosharepages/>\n  </memoryBacking>\n",
        wrong="  <memoryBacking>\n    <nosharepages/>\n    <locked/>\n  </memoryBacking>\n",
        setting=(("  <vcpu>", "  <memoryBacking>\n    <nosharepages/>\n  </memoryBacking>\n  <vcpu>"),),
    ),
    "cell-zero": Entry(
        meaning=(
            "A cell without any boot memory, as one may want for a node that gets all of its memory from "
            "virtio-mem. libvirt gives each cell a backend, and QEMU has none of size 0: it does not start."
        ),
        reason=(
            "QEMU's memory backends do not take 0 as their size. libvirt reads memory='0' and says nothing. "
            "Give the cell a little of the boot memory."
        ),
        right=("      <cell id='0' cpus='0-3' memory='3' unit='GiB'/>\n      <cell id='1' memory='1' unit='GiB'/>\n"),
        wrong=("      <cell id='0' cpus='0-3' memory='4' unit='GiB'/>\n      <cell id='1' memory='0' unit='GiB'/>\n"),
        setting=(
            (
                "      <cell id='0' cpus='0-3' memory='4' unit='GiB'/>\n",
                "      <cell id='0' cpus='0-3' memory='3' unit='GiB'/>\n      <cell id='1' memory='1' unit='GiB'/>\n",
            ),
            ("<node>0</node>", "<node>1</node>"),
        ),
    ),
    "nodes-too-many": Entry(
        meaning=(
            "A list names a NUMA node that QEMU has no number for, or the domain has more cells than QEMU "
            "has nodes. QEMU does not start."
        ),
        reason=(
            "QEMU knows 128 nodes of the host and 128 of the guest, 0 to 127 (MAX_NODES). libvirt reads "
            "numbers up to 16383."
        ),
        right="      <source>\n        <nodemask>0-1</nodemask>\n      </source>\n",
        wrong="      <source>\n        <nodemask>0-255</nodemask>\n      </source>\n",
        setting=(_WITH_NODEMASK,),
    ),
    "pci-multifunction": Entry(
        meaning=(
            "Function 0 of the slot says multifunction='off', and there is another device at a further "
            "function of the same slot. QEMU does not start."
        ),
        reason=(
            "A guest looks for further functions only where function 0 announces them, so that QEMU refuses "
            "a slot that does not (pci_init_multifunction()). libvirt sets multifunction by itself where it "
            "is not given, and leaves an 'off' alone."
        ),
        right=(
            "      <address type='pci' bus='0x00' slot='0x05' function='0x0' multifunction='on'/>\n"
            "    </memory>\n"
            "    <memory model='virtio-mem'>\n"
            "      <address type='pci' bus='0x00' slot='0x05' function='0x1'/>\n"
        ),
        wrong=(
            "      <address type='pci' bus='0x00' slot='0x05' function='0x0' multifunction='off'/>\n"
            "    </memory>\n"
            "    <memory model='virtio-mem'>\n"
            "      <address type='pci' bus='0x00' slot='0x05' function='0x1'/>\n"
        ),
        setting=(
            ("<memory unit='GiB'>12<", "<memory unit='GiB'>16<"),
            _WITH_SECOND,
            (
                "    </memory>\n    <memory model='virtio-mem'>\n",
                "      <address type='pci' bus='0x00' slot='0x05' function='0x0' multifunction='on'/>\n"
                "    </memory>\n"
                "    <memory model='virtio-mem'>\n"
                "      <address type='pci' bus='0x00' slot='0x05' function='0x1'/>\n",
            ),
        ),
    ),
    "pagesize-memfd": Entry(
        meaning=(
            "The page size is not a power of two, and no kernel has such pages. A unit is often the cause: "
            "KB and MB are powers of 1000, KiB and MiB powers of 1024. QEMU does not start."
        ),
        reason=(
            "QEMU takes a power of two as hugetlbsize. With other backends libvirt looks for a hugetlbfs "
            "mount of that page size and finds none; a memfd needs no mount, so that libvirt does not look."
        ),
        right="      <source>\n        <pagesize unit='KiB'>2048</pagesize>\n      </source>\n",
        wrong="      <source>\n        <pagesize unit='KB'>2048</pagesize>\n      </source>\n",
        setting=(
            _WITH_MEMFD,
            ("<size unit='GiB'>8<", "<size unit='MiB'>8000<"),
            (
                "      <target>\n",
                "      <source>\n        <pagesize unit='KiB'>2048</pagesize>\n      </source>\n      <target>\n",
            ),
        ),
    ),
    "slots-too-many": Entry(
        meaning=(
            "<maxMemory slots> is above what QEMU has. QEMU does not start. Slots are for DIMMs, virtio-mem "
            "takes none of them: without DIMMs, leave the attribute out."
        ),
        reason="QEMU's machines have 256 slots at most (ACPI_MAX_RAM_SLOTS). libvirt has no such limit.",
        right="  <maxMemory slots='16' unit='GiB'>16</maxMemory>\n",
        wrong="  <maxMemory slots='512' unit='GiB'>16</maxMemory>\n",
        setting=(("<maxMemory unit", "<maxMemory slots='16' unit"),),
    ),
    "size-zero": Entry(
        meaning=(
            "<size> is the most that the device can ever give, and 0 makes it a device without memory. QEMU "
            "does not start. A guest that is to begin with nothing has a <size> and <requested> 0."
        ),
        reason="QEMU's memory backends do not take 0 as their size. libvirt reads it and says nothing.",
        right="        <size unit='GiB'>8</size>\n        <requested unit='GiB'>0</requested>\n",
        wrong="        <size unit='GiB'>0</size>\n        <requested unit='GiB'>0</requested>\n",
        setting=(
            (
                _TARGET,
                "        <node>0</node>\n"
                "        <block unit='MiB'>2</block>\n"
                "        <size unit='GiB'>8</size>\n"
                "        <requested unit='GiB'>0</requested>\n",
            ),
        ),
    ),
    "size-not-block-multiple": Entry(
        meaning=("<size> does not divide into whole blocks, and the device has no others. QEMU does not start."),
        reason=(
            "QEMU wants the backend's size to be a multiple of block-size, since virtio-mem is there (QEMU "
            "5.1). libvirt rounds <size> up to 2 MiB and does not compare it with <block>, so that with "
            "larger blocks the domain is defined and cannot start."
        ),
        right=("        <size unit='MiB'>8192</size>\n        <node>0</node>\n        <block unit='MiB'>128</block>\n"),
        wrong=("        <size unit='MiB'>8000</size>\n        <node>0</node>\n        <block unit='MiB'>128</block>\n"),
        setting=(
            ("<size unit='GiB'>8<", "<size unit='MiB'>8192<"),
            ("<block unit='MiB'>2<", "<block unit='MiB'>128<"),
        ),
    ),
    "size-not-page-multiple": Entry(
        meaning=(
            "The memory, a device's or a cell's, does not divide into whole pages of the size that is behind "
            "it. QEMU does not start."
        ),
        reason=(
            "Linux has no part of a huge page: a file of huge pages cannot have such a length. libvirt "
            "rounds a cell up to 1 MiB and a device to 2 MiB, and does not compare them with their pages."
        ),
        right=(
            "      <page size='1' unit='GiB'/>\n"
            "    </hugepages>\n"
            "  </memoryBacking>\n"
            "  <cpu>\n"
            "    <numa>\n"
            "      <cell id='0' cpus='0-3' memory='4096' unit='MiB'/>\n"
        ),
        wrong=(
            "      <page size='1' unit='GiB'/>\n"
            "    </hugepages>\n"
            "  </memoryBacking>\n"
            "  <cpu>\n"
            "    <numa>\n"
            "      <cell id='0' cpus='0-3' memory='4000' unit='MiB'/>\n"
        ),
        setting=(
            (
                "  <cpu>\n    <numa>\n      <cell id='0' cpus='0-3' memory='4' unit='GiB'/>\n",
                "  <memoryBacking>\n"
                "    <source type='memfd'/>\n"
                "    <hugepages>\n"
                "      <page size='1' unit='GiB'/>\n"
                "    </hugepages>\n"
                "  </memoryBacking>\n"
                "  <cpu>\n"
                "    <numa>\n"
                "      <cell id='0' cpus='0-3' memory='4096' unit='MiB'/>\n",
            ),
            ("<block unit='MiB'>2<", "<block unit='GiB'>1<"),
        ),
    ),
    "arch-unsupported": Entry(
        meaning=(
            "QEMU for this architecture has no virtio-mem device, in no version so far. The guest cannot have one."
        ),
        reason=(
            "QEMU has virtio-mem for x86_64 and i686 since 5.1, for aarch64 since 7.0 and for s390x since "
            "10.0. libvirt asks QEMU for its devices and refuses the domain when virtio-mem is not among "
            "them."
        ),
        right="    <type arch='aarch64' machine='virt'>hvm</type>\n",
        wrong="    <type arch='riscv64' machine='virt'>hvm</type>\n",
        setting=(("arch='x86_64' machine='q35'", "arch='aarch64' machine='virt'"),),
    ),
    "block-not-power-of-two": Entry(
        meaning=(
            "The size of a block is a power of two: 2 MiB, 4 MiB, 8 MiB and so on. libvirt does not define "
            "the domain with another."
        ),
        reason=(
            "QEMU's block-size takes a power of two, and libvirt checks it beforehand "
            "(virDomainMemoryDefValidate()), since virtio-mem is there (libvirt 7.9.0, QEMU 5.1)."
        ),
        right="        <block unit='MiB'>128</block>\n",
        wrong="        <block unit='MiB'>100</block>\n",
        setting=(("<block unit='MiB'>2<", "<block unit='MiB'>128<"),),
    ),
    "dimm-slot": Entry(
        meaning=(
            "Two DIMMs name the same slot, or one names a slot that <maxMemory slots> does not provide. "
            "Slots are numbered from 0."
        ),
        reason=(
            "A DIMM has one slot of the machine to itself. libvirt refuses a domain in which one is "
            "taken twice or does not exist, and QEMU would do the same."
        ),
        right=(
            "      <address type='dimm' slot='0'/>\n"
            "    </memory>\n"
            "    <memory model='dimm'>\n"
            "      <address type='dimm' slot='1'/>\n"
        ),
        wrong=(
            "      <address type='dimm' slot='0'/>\n"
            "    </memory>\n"
            "    <memory model='dimm'>\n"
            "      <address type='dimm' slot='0'/>\n"
        ),
        setting=(
            ("<maxMemory unit", "<maxMemory slots='2' unit"),
            ("<memory unit='GiB'>12<", "<memory unit='GiB'>14<"),
            (
                "  </devices>\n",
                "    <memory model='dimm'>\n"
                "      <target>\n"
                "        <size unit='GiB'>1</size>\n"
                "        <node>0</node>\n"
                "      </target>\n"
                "      <alias name='ua-dimm-a'/>\n"
                "      <address type='dimm' slot='0'/>\n"
                "    </memory>\n"
                "    <memory model='dimm'>\n"
                "      <address type='dimm' slot='1'/>\n"
                "      <alias name='ua-dimm-b'/>\n"
                "      <target>\n"
                "        <size unit='GiB'>1</size>\n"
                "        <node>0</node>\n"
                "      </target>\n"
                "    </memory>\n"
                "  </devices>\n",
            ),
        ),
    ),
    "hotplug-space": Entry(
        meaning=(
            "<maxMemory> is less than boot memory and all memory devices together. It counts everything that "
            "the guest can ever have, each device with its whole <size>, however little is requested."
        ),
        reason=(
            "libvirt wants <maxMemory> to be no less than the total (virDomainDefPostParseMemory()), and "
            "QEMU has maxmem less boot memory for devices ('not enough space'). Both since virtio-mem is "
            "there (libvirt 7.9.0, QEMU 5.1)."
        ),
        right="  <maxMemory unit='GiB'>12</maxMemory>\n  <memory unit='GiB'>12</memory>\n",
        wrong="  <maxMemory unit='GiB'>8</maxMemory>\n  <memory unit='GiB'>12</memory>\n",
        setting=(("<maxMemory unit='GiB'>16<", "<maxMemory unit='GiB'>12<"),),
    ),
    "memaddr-overlap": Entry(
        meaning=(
            "Two devices name guest addresses that overlap: from its <address base>, each takes its whole "
            "<size>. Unless the guest needs these very addresses, leave them out: QEMU finds some."
        ),
        reason=(
            "libvirt compares the addresses that the XML gives (virDomainMemoryDefValidate()), and QEMU all "
            "of them (memory_device_get_free_addr())."
        ),
        right=(
            "        <size unit='GiB'>8</size>\n"
            "        <address base='0x180000000'/>\n"
            "      </target>\n"
            "    </memory>\n"
            "    <memory model='virtio-mem'>\n"
            "      <target>\n"
            "        <size unit='GiB'>4</size>\n"
            "        <address base='0x380000000'/>\n"
        ),
        wrong=(
            "        <size unit='GiB'>8</size>\n"
            "        <address base='0x180000000'/>\n"
            "      </target>\n"
            "    </memory>\n"
            "    <memory model='virtio-mem'>\n"
            "      <target>\n"
            "        <size unit='GiB'>4</size>\n"
            "        <address base='0x280000000'/>\n"
        ),
        setting=(
            ("<memory unit='GiB'>12<", "<memory unit='GiB'>16<"),
            _WITH_SECOND,
            (
                "<size unit='GiB'>4</size>\n",
                "<size unit='GiB'>4</size>\n        <address base='0x380000000'/>\n",
            ),
            (
                _TARGET,
                "        <node>0</node>\n"
                "        <block unit='MiB'>2</block>\n"
                "        <requested unit='GiB'>1</requested>\n"
                "        <size unit='GiB'>8</size>\n"
                "        <address base='0x180000000'/>\n",
            ),
        ),
    ),
    "memaddr-unaligned": Entry(
        meaning=(
            "<address base> is not a multiple of the block, or of the page behind it where that is larger. "
            "Unless the guest needs that very address, leave it out: QEMU finds one."
        ),
        reason=(
            "libvirt wants a multiple of <block> (virDomainMemoryDefValidate()). QEMU wants that too, and a "
            "multiple of the backend's alignment, which is the huge page or 2 MiB."
        ),
        right="        <block unit='GiB'>1</block>\n        <address base='0x1c0000000'/>\n",
        wrong="        <block unit='GiB'>1</block>\n        <address base='0x1a0000000'/>\n",
        setting=(
            (
                "        <block unit='MiB'>2</block>\n",
                "        <block unit='GiB'>1</block>\n        <address base='0x1c0000000'/>\n",
            ),
        ),
    ),
    "node-unknown": Entry(
        meaning=(
            "The device is on a guest NUMA node that the guest does not have. Nodes are numbered from 0, so "
            "that a guest with one cell has node 0 alone. On s390x a domain has no cells, and the device no "
            "<node>."
        ),
        reason=(
            "libvirt refuses a <node> beyond the last cell (today in virDomainMemoryDefValidate()), and QEMU "
            "a node that is not below the number of its own, since virtio-mem is there (QEMU 5.1)."
        ),
        right="        <node>0</node>\n",
        wrong="        <node>1</node>\n",
    ),
    "alias-duplicate": Entry(
        meaning=(
            "Two devices have the same alias. It is the name by which libvirt and QEMU tell them apart, so "
            "that each device has its own."
        ),
        reason=(
            "libvirt refuses an alias that is there twice (virDomainDefValidateAliases()), and QEMU an id "
            "that is. libvirt keeps aliases of the user's since 3.9.0."
        ),
        right=(
            "      <alias name='ua-mem0'/>\n"
            "    </memory>\n"
            "    <memory model='virtio-mem'>\n"
            "      <alias name='ua-mem1'/>\n"
        ),
        wrong=(
            "      <alias name='ua-mem0'/>\n"
            "    </memory>\n"
            "    <memory model='virtio-mem'>\n"
            "      <alias name='ua-mem0'/>\n"
        ),
        setting=(
            ("<memory unit='GiB'>12<", "<memory unit='GiB'>16<"),
            _WITH_SECOND,
            (
                "    </memory>\n    <memory model='virtio-mem'>\n",
                "      <alias name='ua-mem0'/>\n"
                "    </memory>\n"
                "    <memory model='virtio-mem'>\n"
                "      <alias name='ua-mem1'/>\n",
            ),
        ),
    ),
    "pci-chipset": Entry(
        meaning=(
            "The PCI address is one that the machine's own chipset has, which is there in every guest of "
            "that machine type. No other device can have it."
        ),
        reason=(
            "q35 has its ISA bridge, SATA controller and SMBus at slot 0x1f of bus 0, pc has its ISA bridge, "
            "IDE, USB and power management at slot 0x01. libvirt keeps these for the chipset, and QEMU says "
            "that the slot is in use."
        ),
        right="      <address type='pci' bus='0x00' slot='0x05' function='0x0'/>\n",
        wrong="      <address type='pci' bus='0x00' slot='0x1f' function='0x0'/>\n",
        setting=((_END, f"      <address type='pci' bus='0x00' slot='0x05' function='0x0'/>\n{_END}"),),
    ),
    "pci-duplicate": Entry(
        meaning=(
            "Two devices have the same PCI address, often because one was copied from the other. Leave the "
            "address out, and libvirt assigns a free one."
        ),
        reason=(
            "libvirt reserves each address once and refuses the second use ('Attempted double use of PCI "
            "Address'); QEMU says that the slot is in use."
        ),
        right=(
            "      <address type='pci' bus='0x00' slot='0x05' function='0x0'/>\n"
            "    </memory>\n"
            "    <memory model='virtio-mem'>\n"
            "      <address type='pci' bus='0x00' slot='0x06' function='0x0'/>\n"
        ),
        wrong=(
            "      <address type='pci' bus='0x00' slot='0x05' function='0x0'/>\n"
            "    </memory>\n"
            "    <memory model='virtio-mem'>\n"
            "      <address type='pci' bus='0x00' slot='0x05' function='0x0'/>\n"
        ),
        setting=(
            ("<memory unit='GiB'>12<", "<memory unit='GiB'>16<"),
            _WITH_SECOND,
            (
                "    </memory>\n    <memory model='virtio-mem'>\n",
                "      <address type='pci' bus='0x00' slot='0x05' function='0x0'/>\n"
                "    </memory>\n"
                "    <memory model='virtio-mem'>\n"
                "      <address type='pci' bus='0x00' slot='0x06' function='0x0'/>\n",
            ),
        ),
    ),
    "qemu-version": Entry(
        meaning=(
            "The domain asks for something that this version of QEMU does not have yet: virtio-mem for its "
            "architecture, or dynamicMemslots. With another --qemu it may be in order."
        ),
        reason=(
            "QEMU has virtio-mem for x86_64 since 5.1, for aarch64 since 7.0 and for s390x since 10.0, and "
            "dynamic-memslots since 8.2. It does not start with a device or property that it does not know, "
            "and libvirt asks it beforehand."
        ),
        right="    <memory model='virtio-mem'>\n      <target>\n",
        wrong="    <memory model='virtio-mem'>\n      <target dynamicMemslots='yes'>\n",
        options=("--qemu", "7.2"),
    ),
    "requested-not-block-multiple": Entry(
        meaning=(
            "The guest is asked to take a number of blocks that is not whole. libvirt does not define the "
            "domain; the same holds for every later change of <requested>."
        ),
        reason=(
            "libvirt checks it (virDomainMemoryDefValidate()), and QEMU checks it again at start and "
            "whenever requested-size is set, since virtio-mem is there (libvirt 7.9.0, QEMU 5.1)."
        ),
        right="        <block unit='MiB'>128</block>\n        <requested unit='MiB'>1024</requested>\n",
        wrong="        <block unit='MiB'>128</block>\n        <requested unit='MiB'>1000</requested>\n",
        setting=(
            ("<block unit='MiB'>2<", "<block unit='MiB'>128<"),
            ("<requested unit='GiB'>1<", "<requested unit='MiB'>1024<"),
        ),
    ),
    "slots-exceeded": Entry(
        meaning=(
            "The domain has more DIMMs than <maxMemory slots>; where slots is absent, there are none. "
            "virtio-mem takes no slot, so that the attribute is easily forgotten when a DIMM is put beside "
            "it."
        ),
        reason=(
            "Each dimm and nvdimm takes a slot of the machine. libvirt compares their number with slots, and "
            "QEMU has none left."
        ),
        right="  <maxMemory slots='1' unit='GiB'>16</maxMemory>\n",
        wrong="  <maxMemory unit='GiB'>16</maxMemory>\n",
        setting=(
            ("<maxMemory unit", "<maxMemory slots='1' unit"),
            ("<memory unit='GiB'>12<", "<memory unit='GiB'>13<"),
            (
                "  </devices>\n",
                "    <memory model='dimm'>\n"
                "      <target>\n"
                "        <size unit='GiB'>1</size>\n"
                "        <node>0</node>\n"
                "      </target>\n"
                "    </memory>\n"
                "  </devices>\n",
            ),
        ),
    ),
    "alias-ignored": Entry(
        meaning=(
            "libvirt drops the alias and gives the device one of its own, such as virtiomem0. What looks for "
            "the device by the name in the XML will not find it."
        ),
        reason=(
            "Of a domain that is not running, libvirt keeps an alias that begins with 'ua-' and holds "
            "nothing but letters, digits, '_' and '-', since 3.9.0; other names are its own to give."
        ),
        right="      <alias name='ua-big'/>\n",
        wrong="      <alias name='big'/>\n",
        setting=((_END, f"      <alias name='ua-big'/>\n{_END}"),),
    ),
    "attribute-unknown": Entry(
        meaning=(
            "libvirt does not know the attribute and leaves it out of the domain without a word. What it was "
            "meant to do does not happen."
        ),
        reason=(
            "libvirt reads the attributes that it knows and passes over the rest. 'virsh define --validate' "
            "compares the XML with the schema and refuses it."
        ),
        right="    <memory model='virtio-mem' access='shared'>\n",
        wrong="    <memory model='virtio-mem' shared='yes'>\n",
        setting=(_SHARED,),
    ),
    "discard-ignored": Entry(
        meaning=(
            "discard is asked for, and the device's backend is not a file. libvirt drops it and says "
            "nothing; the guest starts without it."
        ),
        reason=(
            "Of QEMU's backends, memory-backend-file alone has the property discard-data. libvirt writes it "
            "there, and leaves it out for memory-backend-memfd and memory-backend-ram."
        ),
        right="  <memoryBacking>\n    <source type='file'/>\n    <discard/>\n  </memoryBacking>\n",
        wrong="  <memoryBacking>\n    <source type='memfd'/>\n    <discard/>\n  </memoryBacking>\n",
        setting=(
            (
                "  <vcpu>",
                "  <memoryBacking>\n    <source type='file'/>\n    <discard/>\n  </memoryBacking>\n  <vcpu>",
            ),
        ),
    ),
    "element-repeated": Entry(
        meaning=(
            "The element is there twice, where libvirt expects one. libvirt takes the first and says "
            "nothing, so that a line added below changes nothing."
        ),
        reason=(
            "libvirt looks for the first element of that name. 'virsh define --validate' compares the XML "
            "with the schema and refuses it."
        ),
        right="        <requested unit='GiB'>4</requested>\n",
        wrong="        <requested unit='GiB'>1</requested>\n        <requested unit='GiB'>4</requested>\n",
        setting=(("<requested unit='GiB'>1<", "<requested unit='GiB'>4<"),),
    ),
    "element-unknown": Entry(
        meaning=(
            "libvirt does not know the element and leaves it out of the domain without a word. A misspelt "
            "<requested> thus counts as 0, and the guest gets none of the memory."
        ),
        reason=(
            "libvirt reads the elements that it knows and passes over the rest. 'virsh define --validate' "
            "compares the XML with the schema and refuses it."
        ),
        right="        <requested unit='GiB'>1</requested>\n",
        wrong="        <requestd unit='GiB'>1</requestd>\n",
    ),
    "memory-left-out": Entry(
        meaning=(
            "virtmem writes virtio-mem, dimm and virtio-pmem devices. One of another model, nvdimm or "
            "sgx-epc, is counted and judged as far as virtio-mem depends on it, but the arguments are "
            "without it: add them yourself."
        ),
        reason="This is a limit of virtmem's. libvirt and QEMU know these models.",
        right=(
            "    <memory model='virtio-pmem' access='shared'>\n"
            "      <target>\n"
            "        <size unit='GiB'>1</size>\n"
            "      </target>\n"
        ),
        wrong=(
            "    <memory model='nvdimm' access='shared'>\n"
            "      <target>\n"
            "        <size unit='GiB'>1</size>\n"
            "        <node>0</node>\n"
            "      </target>\n"
        ),
        setting=(
            ("<maxMemory unit", "<maxMemory slots='1' unit"),
            ("<memory unit='GiB'>12<", "<memory unit='GiB'>13<"),
            (
                "  </devices>\n",
                "    <memory model='virtio-pmem' access='shared'>\n"
                "      <target>\n"
                "        <size unit='GiB'>1</size>\n"
                "      </target>\n"
                "      <source>\n"
                "        <path>/var/lib/libvirt/images/guest-pmem.raw</path>\n"
                "      </source>\n"
                "    </memory>\n"
                "  </devices>\n",
            ),
        ),
        options=("--scope", "memory"),
    ),
    "pci-bus-implied": Entry(
        meaning=(
            "The device is on a PCI bus for which the XML has no <controller>. libvirt adds one by itself; "
            "with these arguments alone QEMU says that the bus is not found."
        ),
        reason=(
            "libvirt fills up the buses that addresses name, with pcie-root-port on q35 and virt and with "
            "pci-bridge on pc. Which of their properties it chooses depends on all devices of the domain, so "
            "that virtmem adds none."
        ),
        right=(
            "    <controller type='pci' index='1' model='pcie-root-port'/>\n"
            "    <memory model='virtio-mem'>\n"
            "      <address type='pci' bus='0x01' slot='0x00' function='0x0'/>\n"
        ),
        wrong=("    <memory model='virtio-mem'>\n      <address type='pci' bus='0x01' slot='0x00' function='0x0'/>\n"),
        setting=(
            (
                "    <memory model='virtio-mem'>\n",
                "    <controller type='pci' index='1' model='pcie-root-port'/>\n"
                "    <memory model='virtio-mem'>\n"
                "      <address type='pci' bus='0x01' slot='0x00' function='0x0'/>\n",
            ),
        ),
    ),
    "prealloc-unsupported": Entry(
        meaning=(
            "Memory is to be allocated at once, and this version of QEMU cannot do that for virtio-mem. "
            "libvirt leaves it out, and the guest starts: but when the host runs short later, the guest may "
            "be killed."
        ),
        reason=(
            "A backend that preallocates cannot be virtio-mem's. The device has a property prealloc of its "
            "own since QEMU 7.0, with which it allocates each block as the guest takes it. Huge pages ask "
            "for it too."
        ),
        right="  <memoryBacking>\n    <allocation mode='ondemand'/>\n  </memoryBacking>\n",
        wrong="  <memoryBacking>\n    <allocation mode='immediate'/>\n  </memoryBacking>\n",
        setting=(
            (
                "  <vcpu>",
                "  <memoryBacking>\n    <allocation mode='ondemand'/>\n  </memoryBacking>\n  <vcpu>",
            ),
        ),
        options=("--qemu", "6.2"),
    ),
    "s390x-cells": Entry(
        meaning=(
            "libvirt writes -numa for each cell, and QEMU does not start with it on s390x. virtmem leaves "
            "-numa out, so that its arguments work, and libvirt's would not."
        ),
        reason=(
            "QEMU's s390x machine has no NUMA nodes ('NUMA is not supported by this machine-type'). "
            "virtio-mem there, since QEMU 10.0, needs none: leave out <numa>, and <node> with it."
        ),
        right="  <devices>\n    <memory model='virtio-mem'>\n      <target>\n",
        wrong=(
            "  <cpu>\n"
            "    <numa>\n"
            "      <cell id='0' cpus='0-3' memory='4' unit='GiB'/>\n"
            "    </numa>\n"
            "  </cpu>\n"
            "  <devices>\n"
            "    <memory model='virtio-mem'>\n"
            "      <target>\n"
            "        <node>0</node>\n"
        ),
        base=S390X,
    ),
    "value-rounded": Entry(
        meaning=(
            "libvirt rounds the value up, and the guest has a little more than the XML says. GB and MB are "
            "the usual cause: they are powers of 1000, and GiB and MiB are powers of 1024."
        ),
        reason=(
            "libvirt counts memory in whole KiB, rounds cells and <maxMemory> up to 1 MiB and memory devices "
            "up to 2 MiB, and says nothing."
        ),
        right="        <size unit='GiB'>8</size>\n",
        wrong="        <size unit='GB'>8</size>\n",
    ),
    "not-a-domain": Entry(
        meaning="The input cannot be read as a domain at all: it is not well-formed XML, has a <!DOCTYPE>, is larger "
        "than any domain, or its root element is not <domain>. Nothing was judged, so that no setting turns this off.",
        reason="libvirt refuses what is no XML, and what has another root element. A <!DOCTYPE> is refused here, since "
        "the entities it may declare can hide what the XML says, and no domain needs one.",
        right="      </target>\n    </memory>\n",
        wrong="      </target>\n",
    ),
    "overcommit-never": Entry(
        meaning="The host's vm.overcommit_memory is 2, and the memory of the device is private: QEMU does not start.",
        reason="virtio-mem's memory is written with reserve=false, so that only what the guest takes counts. For "
        "private memory without huge pages that is impossible where the host promises no more than it has, and QEMU "
        "since 6.1 says so at start rather than reserve all of it.",
        right="<memory model='virtio-mem' access='shared'>",
        wrong="<memory model='virtio-mem'>",
        setting=(_SHARED,),
        host="overcommit-memory = 2\n",
    ),
    "attribute-misplaced": Entry(
        meaning="An attribute stands on an element that does not have it, but another in the same device does. "
        "libvirt ignores it, so that what it says is lost.",
        reason="libvirt reads the attributes it knows and passes over all others without a word, unless it is told to "
        "validate the XML.",
        right="    <memory model='virtio-mem' access='shared'>\n      <target>",
        wrong="    <memory model='virtio-mem'>\n      <target access='shared'>",
        setting=(_SHARED,),
    ),
    "current-ignored": Entry(
        meaning="<current> tells how much a running guest has taken. In the XML of a domain that is not running it "
        "says nothing, and libvirt does not read it.",
        reason="libvirt writes <current> from what QEMU reports, since virtio-mem is there (libvirt 7.9.0). The size "
        "that the guest is to have is <requested>.",
        right="        <requested unit='GiB'>1</requested>\n",
        wrong="        <requested unit='GiB'>1</requested>\n        <current unit='GiB'>1</current>\n",
    ),
    "element-misplaced": Entry(
        meaning="An element stands in the wrong parent. libvirt ignores it there, so that what it says is lost.",
        reason="libvirt looks for each element in one place and passes over all others without a word, unless it is "
        "told to validate the XML.",
        right="    <memory model='virtio-mem'>\n      <source>\n        <pagesize unit='MiB'>2</pagesize>\n"
        "      </source>\n      <target>\n",
        wrong="    <memory model='virtio-mem'>\n      <target>\n        <pagesize unit='MiB'>2</pagesize>\n",
        setting=(
            (
                "    <memory model='virtio-mem'>\n",
                "    <memory model='virtio-mem'>\n      <source>\n        <pagesize unit='MiB'>2</pagesize>\n"
                "      </source>\n",
            ),
        ),
    ),
    "schema-mismatch": Entry(
        meaning="The domain does not fit libvirt's own schema, which was asked for with --schema. It covers all of "
        "the domain, not its memory alone.",
        reason="libvirt checks its schema only when it is told to, as with virsh define --validate: otherwise it "
        "ignores what it does not know. The schema is that of one libvirt version, and knows nothing newer.",
        right="  <on_crash>destroy</on_crash>\n",
        wrong="  <on_crash>explode</on_crash>\n",
        setting=(
            ("  <devices>\n", "  <on_crash>destroy</on_crash>\n  <devices>\n"),
            ("<maxMemory unit", "<maxMemory slots='1' unit"),
        ),
        options=("--schema",),
    ),
    "suppression-unknown": Entry(
        meaning="A comment of the form <!-- virtmem: ignore=RULE --> names a rule that does not exist, so that it "
        "silences nothing.",
        reason="A misspelt name would otherwise go unnoticed, and so would the finding once its cause has changed. "
        "virtmem alone reads these comments.",
        right="    <!-- virtmem: ignore=movable-ratio -->\n",
        wrong="    <!-- virtmem: ignore=moveable-ratio -->\n",
        setting=(
            ("    <memory model", "    <!-- virtmem: ignore=movable-ratio -->\n    <memory model"),
            ("<size unit='GiB'>8", "<size unit='GiB'>16"),
            ("<memory unit='GiB'>12", "<memory unit='GiB'>20"),
            ("<maxMemory unit='GiB'>16", "<maxMemory unit='GiB'>20"),
        ),
        options=("--ignore", "movable-ratio"),
    ),
    "suppression-unused": Entry(
        meaning="A comment of the form <!-- virtmem: ignore=RULE --> stands before an element in which that rule finds "
        "nothing.",
        reason="What is no longer needed hides the next mistake of the same kind. virtmem alone reads these comments.",
        right="        <block unit='MiB'>2</block>\n",
        wrong="        <!-- virtmem: ignore=block-below-thp -->\n        <block unit='MiB'>2</block>\n",
    ),
    "balloon-inflation": Entry(
        meaning="<currentMemory> is below what the guest boots with and is to get, which asks the memory balloon to "
        "take the difference away. The balloon takes it from boot memory alone, and virtio-mem stays as it is.",
        reason="QEMU's balloon counts boot memory and DIMMs, and does not see virtio-mem, which has <requested> for "
        "this.",
        right="  <currentMemory unit='GiB'>12</currentMemory>\n",
        wrong="  <currentMemory unit='GiB'>2</currentMemory>\n",
        setting=(("  <vcpu>", "  <currentMemory unit='GiB'>12</currentMemory>\n  <vcpu>"),),
    ),
    "memmap-boot-memory": Entry(
        meaning="A guest keeps a description of each page, the memmap: 1/64 of what is added. It takes that from the "
        "memory that it has, at first boot memory, and with little of it growth ends early or the guest runs out.",
        reason="Linux has 64 bytes for each page of 4 KiB, and puts them into memory that is there already. virtmem "
        "speaks of it from 1/8 of boot memory.",
        right="      <cell id='0' cpus='0-3' memory='32' unit='GiB'/>",
        wrong="      <cell id='0' cpus='0-3' memory='4' unit='GiB'/>",
        setting=(
            ("memory='4'", "memory='32'"),
            ("    <memory model", "    <!-- virtmem: ignore=movable-ratio -->\n    <memory model"),
            ("<size unit='GiB'>8", "<size unit='GiB'>100"),
            ("<memory unit='GiB'>12", "<memory unit='GiB'>132"),
            ("<maxMemory unit='GiB'>16", "<maxMemory unit='GiB'>132"),
        ),
        options=("--ignore", "suppression-unused"),
    ),
    "memslot-metadata": Entry(
        meaning="The host keeps tables for a memory slot of the guest by its whole size, about 2.5 GiB for 1 TiB, "
        "even while the guest has taken little of it. dynamicMemslots makes several slots that come and go.",
        reason="KVM has a reverse map and dirty bitmaps for each slot. QEMU has dynamic-memslots since 8.2, libvirt "
        "writes it since 10.1.0. virtmem speaks of it from 256 MiB of tables.",
        right="      <target dynamicMemslots='yes'>",
        wrong="      <target>",
        setting=(
            ("memory='4'", "memory='64'"),
            ("<target>", "<target dynamicMemslots='yes'>"),
            ("<size unit='GiB'>8", "<size unit='GiB'>128"),
            ("<memory unit='GiB'>12", "<memory unit='GiB'>192"),
            ("<maxMemory unit='GiB'>16", "<maxMemory unit='GiB'>192"),
        ),
    ),
    "movable-ratio": Entry(
        meaning="The guest can get far more memory than it boots with. Where it is onlined as movable, so that it can "
        "be taken away again, the kernel cannot use it for itself, and runs out of memory while plenty is free.",
        reason="The kernel's documentation takes 3 or 4 times as much movable memory as other for the limit of what "
        "works; its own automatic onlining stops at 301 %. virtmem speaks of it above 3 times.",
        right="      <cell id='0' cpus='0-3' memory='4' unit='GiB'/>",
        wrong="      <cell id='0' cpus='0-3' memory='2' unit='GiB'/>",
    ),
    "vfio-mappings": Entry(
        meaning="A device is passed through with VFIO, which maps each block of virtio-mem by itself, and all blocks "
        "together are more than it has mappings: growth ends before <size>.",
        reason="The kernel's vfio_iommu_type1 has 65535 DMA mappings for a container (dma_entry_limit), and QEMU maps "
        "virtio-mem in pieces of a block, so that each can be taken away again.",
        right="        <block unit='MiB'>4</block>\n",
        wrong="        <block unit='MiB'>2</block>\n",
        setting=(
            (
                "  <devices>\n",
                "  <devices>\n    <hostdev mode='subsystem' type='pci' managed='yes'>\n      <source>\n"
                "        <address domain='0x0000' bus='0x03' slot='0x00' function='0x0'/>\n      </source>\n"
                "    </hostdev>\n",
            ),
            ("memory='4'", "memory='64'"),
            ("<target>", "<target dynamicMemslots='yes'>"),
            ("<block unit='MiB'>2", "<block unit='MiB'>4"),
            ("<size unit='GiB'>8", "<size unit='GiB'>128"),
            ("<memory unit='GiB'>12", "<memory unit='GiB'>192"),
            ("<maxMemory unit='GiB'>16", "<maxMemory unit='GiB'>192"),
        ),
    ),
    "vhost-user-memslots": Entry(
        meaning="Another process serves one of the devices (vhost-user, virtiofs) and maps the guest's memory slot by "
        "slot. Many such processes take only a few slots, and then dynamicMemslots has no effect.",
        reason="QEMU asks each vhost-user process for its limit of slots, 8 in the older protocol, and virtio-mem does "
        "with what all of them leave. QEMU has dynamic-memslots since 8.2.",
        right="      <target>",
        wrong="      <target dynamicMemslots='yes'>",
        setting=(
            _WITH_VIRTIOFS,
            _SHARED,
        ),
    ),
    "vhost-user-private": Entry(
        meaning="Another process serves one of the devices (vhost-user, virtiofs), and the memory of virtio-mem is "
        "private to QEMU. What the guest puts there does not reach the device, which fails or hangs.",
        reason="A vhost-user process maps the guest's memory by its file, and can only do so where it is shared. "
        "libvirt looks at the cells for it, and not at memory devices.",
        right="    <memory model='virtio-mem' access='shared'>",
        wrong="    <memory model='virtio-mem'>",
        setting=(
            _WITH_VIRTIOFS,
            _SHARED,
        ),
    ),
}


def right_domain(entry: Entry) -> str:
    """The whole domain around the right example."""
    domain = entry.base
    for old, new in entry.setting:
        domain = domain.replace(old, new, 1)
    return domain


def wrong_domain(entry: Entry) -> str:
    """The whole domain around the wrong example."""
    return right_domain(entry).replace(entry.right, entry.wrong, 1)


def explanation(rule: Rule) -> list[list[Piece]]:
    """All that there is to say of a rule, as lines of pieces with their styles."""
    entry, who = RULEBOOK[rule.id], rule.refuses.value
    guard = ", and xml2argv refuses it whatever is configured" if rule.severity is Severity.ERROR else ""
    lines: list[list[Piece]] = [
        [(rule.id, "place"), (f": {rule.title}", "")],
        [(rule.severity.value, rule.severity.value), (f": {who or 'works, but'}{guard}", "")],
    ]
    for paragraph in (entry.meaning, entry.reason):
        lines += [[], *([(line, "")] for line in _wrapped(paragraph))]
    for label, example in (("Wrong", entry.wrong), ("Right", entry.right)):
        lines += [[], [(f"{label}:", "place")], []]
        lines += [[(f"    {line}", "")] for line in _flush(example).splitlines()]
    if needs := entry.needs():
        lines += [[], *([(line, "")] for line in _wrapped(f"It shows with {' and '.join(needs)}."))]
    return lines


def help_text(rule: Rule, *, markdown: bool = False) -> str:
    """Meaning, reason and examples of a rule, plain or as Markdown."""
    entry = RULEBOOK[rule.id]
    parts = [entry.meaning, entry.reason]
    for label, example in (("Wrong", entry.wrong), ("Right", entry.right)):
        block = f"```xml\n{_flush(example)}\n```" if markdown else indent(_flush(example), "    ")
        parts.append(f"{label}:\n\n{block}")
    return "\n\n".join(map(_escaped, parts) if markdown else parts)


def sentence(rule: Rule) -> str:
    """A rule's title as a sentence; a program's name keeps its small letter."""
    title = rule.title
    return f"{title if title.startswith('libvirt') else title[0].upper() + title[1:]}."


def _wrapped(paragraph: str) -> list[str]:
    return wrap(paragraph, 100, break_long_words=False, break_on_hyphens=False)


def _flush(example: str) -> str:
    return dedent(example.strip("\n"))


def _escaped(part: str) -> str:
    """Markdown that shows <element> as it is, outside of blocks of code."""
    return part if "```" in part else re.sub(r"(<[^>]*>)", r"`\1`", part)


def page() -> str:
    """docs/rules.md: all rules with their explanations, as Markdown."""
    parts = [
        "# The rules\n\nWhat `virtmem check` looks for, by name. This page is made by `make docs` from the same tables "
        "that the\ncommand and `virtmem explain RULE` use. [Five wrong domains](findings.md) shows what findings look "
        "like.\n"
    ]
    for rule_id, rule in sorted(RULES.items()):
        who = rule.refuses.value or "works, but"
        guard = ", and no configuration makes `xml2argv` pass over it" if rule.severity is Severity.ERROR else ""
        needs = RULEBOOK[rule_id].needs()
        shows = f"\n\nIt shows with {' and '.join(needs)}." if needs else ""
        summary = f"*{rule.severity.value}: {who}*{guard}"
        parts.append(
            f"## {rule_id}\n\n{_escaped(sentence(rule))} {summary}.\n\n{help_text(rule, markdown=True)}{shows}\n"
        )
    return "\n".join(parts)
