"""A domain with many virtio-mem devices, to see what each further one costs."""

# Functions of a slot, each of which holds a root port or a device
FUNCTIONS = 8


def many_devices(count: int) -> bytes:
    """A domain with so many virtio-mem devices of 1 GiB, eight behind each root port. Nothing is wrong with it."""
    ports = "".join(
        f"""    <controller type='pci' index='{port + 1}' model='pcie-root-port'>
      {_address(0, port // FUNCTIONS + 1, port % FUNCTIONS)}
    </controller>
"""
        for port in range(-(-count // FUNCTIONS))
    )
    devices = "".join(
        f"""    <memory model='virtio-mem'>
      <target>
        <size unit='GiB'>1</size>
        <node>0</node>
        <block unit='MiB'>2</block>
        <requested unit='GiB'>0</requested>
      </target>
      {_address(device // FUNCTIONS + 1, 0, device % FUNCTIONS)}
    </memory>
"""
        for device in range(count)
    )
    return f"""<domain type='kvm'>
  <name>many</name>
  <maxMemory unit='GiB'>{2 * count}</maxMemory>
  <memory unit='GiB'>{2 * count}</memory>
  <vcpu>4</vcpu>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
  </os>
  <cpu>
    <numa>
      <cell id='0' cpus='0-3' memory='{count}' unit='GiB'/>
    </numa>
  </cpu>
  <devices>
{ports}{devices}  </devices>
</domain>
""".encode()


def _address(bus: int, slot: int, function: int) -> str:
    return f"<address type='pci' domain='0x0000' bus='{bus:#04x}' slot='{slot:#04x}' function='{function:#x}'/>"
