"""The process: `virtmem`, or `python -m virtmem_cli`."""

import gc

# A conversion is over before there is garbage worth looking for, and the looking takes a tenth of its time
gc.disable()

from virtmem_cli.cli import main  # noqa: E402

if __name__ == "__main__":
    main(prog_name="virtmem")
