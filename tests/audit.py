"""Known faults of the packages that are installed here, by pip-audit, where its database can be reached.

usage: python tests/audit.py    (make audit)

Exit 1 where a package has a known fault or pip-audit fails, 0 where none has; 0 as well where nobody could be asked,
which is said.
"""

import json
import re
import subprocess
import sys


def main() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "pip_audit", "--local", "--skip-editable", "--progress-spinner=off", "--format=json"],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        packages = json.loads(run.stdout)["dependencies"]
    except (ValueError, KeyError):
        last = (run.stderr.strip().splitlines() or ["it says nothing"])[-1][:200]
        if not re.search("ConnectionError|ServiceError|Timeout|NameResolution", run.stderr):
            sys.exit(f"pip-audit failed: {last}")
        print(f"Nothing was audited: pip-audit cannot reach its database: {last}")
        return
    asked = [package for package in packages if "vulns" in package]
    faults = [(package, fault) for package in asked for fault in package["vulns"]]
    for package, fault in faults:
        fixed = " or ".join(fault["fix_versions"]) or "no version"
        print(f"{package['name']} {package['version']}: {fault['id']}, mended in {fixed}")
    print(f"{len(asked)} of {len(packages)} packages audited, {len(faults)} known faults")
    if not asked:
        print("Nothing was audited: pip-audit found none of them in its database.")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
