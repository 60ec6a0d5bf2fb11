"""Plain domains that nothing is wrong with, for tests that change something in them: one on a PCI bus, one on CCW."""

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
