"""What the rules mean, for people: explanation, source, and for each rule a wrong example and the right one.

The other half of `findings.RULES`, in a room of its own since only `explain`, SARIF and the docs read it. An example is
a piece of XML in a whole domain: tests hold that the wrong one raises exactly its rule, and the right one nothing.
"""

from typing import NamedTuple

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


def right_domain(entry: Entry) -> str:
    """The whole domain around the right example."""
    domain = entry.base
    for old, new in entry.setting:
        domain = domain.replace(old, new, 1)
    return domain


def wrong_domain(entry: Entry) -> str:
    """The whole domain around the wrong example."""
    return right_domain(entry).replace(entry.right, entry.wrong, 1)
