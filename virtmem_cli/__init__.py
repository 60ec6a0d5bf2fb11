"""virtmem: libvirt's virtio-mem XML to QEMU's arguments, with every problem named.

For programs there are `convert` and `check`, told in docs/python.md: imported when they are asked for, so that the
command does not pay for them.
"""

# Not from `typing`: `python -m` looks for that in the current folder first, until `__main__` keeps it from doing so
TYPE_CHECKING = False

if TYPE_CHECKING:
    from virtmem_cli.api import Conversion as Conversion
    from virtmem_cli.api import Finding as Finding
    from virtmem_cli.api import Host as Host
    from virtmem_cli.api import Judgement as Judgement
    from virtmem_cli.api import Placement as Placement
    from virtmem_cli.api import check as check
    from virtmem_cli.api import convert as convert

__version__ = "0.1.0"
__all__ = ["Conversion", "Finding", "Host", "Judgement", "Placement", "check", "convert"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'virtmem_cli' has no attribute '{name}'")
    from virtmem_cli import api

    return getattr(api, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
