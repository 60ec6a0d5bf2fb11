"""virtmem: libvirt's virtio-mem XML to QEMU's arguments, with every problem named."""

__version__ = "0.1.0"
