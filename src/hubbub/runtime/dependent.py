"""Become another program that dies with its parent, as another user when the parent is root.

Run as a script, before anything heavy is imported: `python -I -S dependent.py '<json>' program args…`.
The JSON is `{"parent": pid, "signal": n, "user": uid|null, "group": gid|null, "reach": bool}`.
A process of its own, because `preexec_fn` may deadlock in a program with threads, and because the kernel
forgets the parent-death signal when the user changes (https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html).
"""

from __future__ import annotations

import ctypes
import json
import os
import sys

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAPABILITY_VERSION_3 = 0x20080522
CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2


class CapabilityHeader(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class CapabilitySet(ctypes.Structure):
    _fields_ = [
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    ]


def main(plan: str, command: list[str]) -> None:
    """Take on the plan, then replace this process by the command. Raises OSError when refused."""
    wanted = json.loads(plan)
    linux = sys.platform.startswith("linux")
    libc = ctypes.CDLL(None, use_errno=True)
    if linux:
        libc.prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
    if wanted["user"] is not None:
        reach = linux and wanted["reach"]
        if reach:
            _check(libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0))
        os.setgroups([])
        os.setgid(wanted["group"])
        os.setuid(wanted["user"])
        if reach:
            _keep_reach(libc)
    if linux:
        _check(libc.prctl(PR_SET_PDEATHSIG, wanted["signal"], 0, 0, 0))
    if os.getppid() != wanted["parent"]:
        sys.exit("the parent was gone already")
    os.execv(command[0], command)  # noqa: S606


def _keep_reach(libc: ctypes.CDLL) -> None:
    """Keep one capability: to walk through folders that only root may enter (a 0700 home).

    It survives the program's start as an "ambient" capability. Reading is preferred; containers often
    have only the stronger one. The server gains nothing over its parent, which is root
    (https://man7.org/linux/man-pages/man7/capabilities.7.html).
    """
    header = CapabilityHeader(CAPABILITY_VERSION_3, 0)
    sets = (CapabilitySet * 2)()
    _check(libc.capget(ctypes.byref(header), sets))
    had = sets[0].permitted
    kept = CAP_DAC_READ_SEARCH if had & (1 << CAP_DAC_READ_SEARCH) else CAP_DAC_OVERRIDE
    mask = had & (1 << kept)
    wanted = (CapabilitySet * 2)(CapabilitySet(mask, mask, mask), CapabilitySet(0, 0, 0))
    _check(libc.capset(ctypes.byref(header), wanted))
    if mask:
        _check(libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, kept, 0, 0))


def _check(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
