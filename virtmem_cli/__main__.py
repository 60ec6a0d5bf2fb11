"""`python -m virtmem_cli`."""

from virtmem_cli.cli import main

if __name__ == "__main__":
    main(prog_name="virtmem")
