"""Machines on this machine: each with its own processes, homes, temporary folders and ssh server, some with a network.

`ray up` and `ray down` end every Ray process that they can see, so they must see those of their own machines only.
Linux namespaces do that: what runs in one sees neither the processes nor the Ray folders of another.
"""

from __future__ import annotations

import os
import shutil
import site
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

NEEDED = ("unshare", "nsenter", "setpriv", "ip", "ssh", "ssh-keygen", "rsync", "/usr/sbin/sshd")
DEADLINE = 600  # seconds for one command; a hang must not stop the tests


def why_not() -> str | None:
    """Why there can be no such machines here; None when there can."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        return f"{', '.join(missing)} must be installed (Debian: openssh-server, rsync, iproute2, util-linux)"
    if os.geteuid() != 0:
        return "root must run the test: it mounts, and starts ssh servers"
    tried = subprocess.run(
        ["unshare", "--net", "--mount", "--pid", "--uts", "--fork", "--mount-proc", "true"],
        capture_output=True,
        text=True,
    )
    return f"namespaces must be allowed, but: {tried.stderr.strip()}" if tried.returncode else None


@dataclass
class Host:
    """A machine: what runs in it, and where its home is."""

    name: str
    home: Path
    keeper: subprocess.Popen[bytes]  # `unshare`, whose end ends the machine
    init: int  # its first process, seen from here
    environment: dict[str, str] = field(default_factory=dict)

    def run(
        self, *command: str, cwd: Path | None = None, check: bool = True, timeout: float = DEADLINE
    ) -> subprocess.CompletedProcess[str]:
        """A finished command in this machine."""
        done = subprocess.run(
            self._entered(command, cwd),
            env=_environment(self.home) | self.environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=timeout,
            check=False,
        )
        if check:
            assert done.returncode == 0, f"{self.name}: {' '.join(command)}\n{done.stdout}\n{done.stderr}"
        return done

    def begin(self, *command: str, output: Path | None = None) -> subprocess.Popen[str]:
        """A command in this machine that runs on, and ends with it; what it prints goes to a file, or is piped."""
        file = None if output is None else output.open("w")
        try:
            return subprocess.Popen(
                self._entered(command, None),
                env=_environment(self.home) | self.environment,
                stdout=file or subprocess.PIPE,
                stderr=file or subprocess.PIPE,
                stdin=subprocess.DEVNULL,
                text=True,
            )
        finally:
            if file is not None:
                file.close()

    def _entered(self, command: Sequence[str], cwd: Path | None) -> list[str]:
        own = ["nsenter", "--target", str(self.init), "--all", "--wdns=" + str(cwd or self.home)]
        return [*own, *command]

    def end(self) -> None:
        """Ends all its processes: they die with the first one."""
        self.keeper.kill()
        self.keeper.wait()


class TwoHosts:
    """A head and a worker with an ssh server each, and the laptop of a user who may log in to both.

    The laptop has the head's network, so that 127.0.0.1 there is what a port forward would bring.

    Args:
        base: an empty folder that all of them see; homes lie in it, and `shared` is their shared storage.
    """

    def __init__(self, base: Path):
        self.base = base
        self.hosts: list[Host] = []
        self.kept: list[int] = []  # networks of machines that were switched off
        network = f"10.{os.getpid() % 200 + 20}.{time.time_ns() // 1_000_000 % 250}"
        self.addresses = {"head": f"{network}.1", "worker": f"{network}.2"}
        self.shared = base / "shared"
        self.shared.mkdir()
        self.key = base / "key"
        for name in ("key", "host_key"):
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(base / name)],
                check=True,
                timeout=30,
            )
        self.laptop = self._host("laptop", ["--net"])
        self.head = self._host("head", [], beside=self.laptop)
        self.worker = self._host("worker", ["--net"])
        self._connect()
        for host in (self.head, self.worker):
            self._give_environment(host.home)
            self._start_sshd(host)

    def close(self) -> None:
        """Ends all machines."""
        for host in reversed(self.hosts):
            host.end()
        for network in self.kept:
            os.close(network)

    def switch_off_worker(self) -> None:
        """As if its power were cut: its processes are gone, and nothing answers at its address, not even to refuse."""
        self.worker.run("ip", "link", "set", "wrn0", "down")
        # Its end of the cable stays, else the head would lose its own, and its address.
        self.kept.append(os.open(f"/proc/{self.worker.init}/ns/net", os.O_RDONLY))
        self.worker.end()

    def _host(self, name: str, own: Sequence[str], beside: Host | None = None) -> Host:
        home = self.base / f"home-{name}"
        home.mkdir()
        _write_passwd(self.base / f"passwd-{name}", home)
        network = ["nsenter", "--target", str(beside.init), "--net"] if beside else []
        spaces = ["--mount", "--pid", "--uts", "--ipc", *own, "--fork", "--mount-proc", "--kill-child"]
        script = f"""
            set -e
            hostname wrn-{name}
            mkdir -p /tmp/ray /run/sshd
            mount -t tmpfs tmpfs /tmp/ray
            mount -t tmpfs tmpfs /dev/shm
            mount --bind {self.base}/passwd-{name} /etc/passwd
            touch {home}/.ready
            while :; do sleep 60 & wait $!; done
        """
        keeper = subprocess.Popen(
            [*network, "unshare", *spaces, "bash", "-c", script], env=_environment(home)
        )
        host = Host(name, home, keeper, init=0)
        self.hosts.append(host)
        _wait(lambda: (home / ".ready").exists(), f"{name} did not start")
        (init,) = psutil.Process(keeper.pid).children()
        host.init = init.pid
        return host

    def _connect(self) -> None:
        """A cable between the head (and the laptop) and the worker."""
        head, worker = self.laptop, self.worker
        wire = [
            "ip",
            "link",
            "add",
            "wrn0",
            "type",
            "veth",
            "peer",
            "name",
            "wrn0",
            "netns",
            str(worker.init),
        ]
        subprocess.run(["nsenter", "--target", str(head.init), "--net", *wire], check=True, timeout=30)
        for host, own, other in ((head, "head", "worker"), (worker, "worker", "head")):
            host.run("ip", "address", "add", f"{self.addresses[own]}/24", "dev", "wrn0")
            host.run("ip", "link", "set", "lo", "up")
            host.run("ip", "link", "set", "wrn0", "up")
            # Ray asks by which address the internet would be reached.
            host.run("ip", "route", "add", "default", "via", self.addresses[other])
        # Without names each process of Ray asks a name server that is not there, for ten seconds.
        names = "".join(f"{address} wrn-{name}\n" for name, address in self.addresses.items())
        (self.base / "hosts").write_text(f"127.0.0.1 localhost wrn-laptop\n{names}")
        for host in self.hosts:
            host.run("mount", "--bind", str(self.base / "hosts"), "/etc/hosts")

    def _give_environment(self, home: Path) -> None:
        """A virtual environment of the host's own, in which this Python's packages are installed already."""
        venv = home / ".wrn-search" / "venv"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True, timeout=60)
        own = venv / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
        packages = [path for path in site.getsitepackages() if Path(path).is_dir()]
        (own / "installed.pth").write_text(
            "".join(f"import site; site.addsitedir({path!r})\n" for path in packages)
        )
        ray = venv / "bin" / "ray"
        ray.write_text(
            f"#!{venv}/bin/python\nimport sys\nfrom ray.scripts.scripts import main\nsys.exit(main())\n"
        )
        ray.chmod(0o755)

    def _start_sshd(self, host: Host) -> None:
        (self.base / "sshd_config").write_text(
            f"HostKey {self.base}/host_key\nAuthorizedKeysFile {self.key}.pub\nStrictModes no\nUsePAM no\n"
            "PermitRootLogin yes\nPasswordAuthentication no\nPidFile none\nMaxStartups 50\n"
        )
        host.run("/usr/sbin/sshd", "-f", str(self.base / "sshd_config"), "-E", str(host.home / "sshd.log"))


def _write_passwd(path: Path, home: Path) -> None:
    """This machine's users, but root lives elsewhere."""
    lines = Path("/etc/passwd").read_text().splitlines()
    users = [line for line in lines if not line.startswith("root:")]
    path.write_text("\n".join([f"root:x:0:0:root:{home}:/bin/bash", *users]) + "\n")


def _environment(home: Path) -> dict[str, str]:
    """What a login gives: nothing of this process, above all no address of a Ray."""
    own = f"{Path(sys.executable).parent}:{sysconfig.get_path('scripts')}"
    path = f"{own}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {
        "HOME": str(home),
        "PATH": path,
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "TMPDIR": str(home),
        "USER": "root",
    }


def _wait(is_there: object, text: str, seconds: float = 30) -> None:
    assert callable(is_there)
    end = time.monotonic() + seconds
    while not is_there():
        assert time.monotonic() < end, text
        time.sleep(0.05)


def answers(address: str, port: int) -> bool:
    """Whether something listens there."""
    with socket.socket() as tried:
        tried.settimeout(1)
        return tried.connect_ex((address, port)) == 0
