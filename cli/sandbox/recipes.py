"""What each of the sandbox's images is made of.

Paths, users, variables and entry points are those of the public image that one stands in for, so that the same workload
runs in a sandbox and outside of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cli.sandbox.oci import Config, Directory, Entry, File, Link, Owner
from components import versions


@dataclass(frozen=True)
class Recipe:
    """An image, before anything of it is built.

    `programs` are binaries of the sandbox's parts and their paths in the image. `packages` are Debian's, with all that
    they need less `without`; what lies under `skip` is left out of them.
    """

    name: str
    config: Config
    programs: tuple[tuple[str, str], ...] = ()
    packages: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    entries: tuple[Entry, ...] = ()

    @property
    def ref(self) -> str:
        return versions.SANDBOX_IMAGES[self.name]


@dataclass(frozen=True)
class _User:
    name: str
    number: int

    @property
    def config(self) -> str:
        return f"{self.number}:{self.number}"

    @property
    def owner(self) -> Owner:
        return Owner(self.number, self.number)


_NOBODY: Final = _User("nobody", 65534)
_NONROOT: Final = _User("nonroot", 65532)
_ROOT: Final = _User("root", 0)
_POSTGRES: Final = _User("postgres", 999)
_REDIS: Final = _User("redis", 999)
_LOKI: Final = _User("loki", 10001)
_OTEL: Final = _User("otel", 10001)
_SHELL: Final = "sh cat cp date df find grep id ls mkdir mv ps rm sleep tar"
_TOOLS: Final = "echo env false head hostname httpd ip kill nc nslookup ping tail test touch tr true vi wc wget"

# What Debian's packages need to be installed and administered, and not to run.
_INSTALLERS: Final = (
    "adduser",
    "debconf",
    "dpkg",
    "gcc-12-base",
    "init-system-helpers",
    "locales",
    "lsb-base",
    "media-types",
    "passwd",
    "perl",
    "perl-base",
    "postgresql-client-common",
    "postgresql-common",
    "readline-common",
    "sensible-utils",
    "ssl-cert",
    "sysvinit-utils",
    "util-linux",
)
_NOT_NEEDED: Final = (
    "etc/init.d/",
    "lib/systemd/",
    "usr/share/bug/",
    "usr/share/doc/",
    "usr/share/lintian/",
    "usr/share/locale/",
    "usr/share/man/",
)
_POSTGRES_HOME: Final = f"usr/lib/postgresql/{versions.POSTGRES}"


def base(user: str) -> list[Entry]:
    """What every image has: users that can be looked up, a folder for temporary files."""
    number = int(user.partition(":")[0])
    users = {each.number: each for each in (_ROOT, _NONROOT, _NOBODY)}
    users.setdefault(number, _User("app", number))
    ordered = [users[each] for each in sorted(users)]
    return [
        File("etc/passwd", "".join(f"{u.name}:x:{u.number}:{u.number}::/:/sbin/nologin\n" for u in ordered).encode()),
        File("etc/group", "".join(f"{u.name}:x:{u.number}:\n" for u in ordered).encode()),
        File("etc/nsswitch.conf", b"hosts: files dns\n"),
        Directory("tmp", 0o1777),
    ]


def _single(name: str, binary: str, path: str, user: _User, *command: str, data: str = "") -> Recipe:
    """An image of one static binary, with a folder of its own for data if it needs one."""
    config = Config((path,), command, user.config, working_dir=f"/{data}")
    return Recipe(name, config, ((binary, path),), entries=(Directory(data, 0o755, user.owner),) if data else ())


def _applets(names: str) -> tuple[Entry, ...]:
    return tuple(Link(f"bin/{name}", "busybox") for name in names.split())


RECIPES: Final[tuple[Recipe, ...]] = (
    _single("pause", "pause", "/pause", _NOBODY),
    Recipe(
        "busybox",
        Config(("/bin/sh",), user=_NONROOT.config, env=(("PATH", "/bin"),)),
        packages=("busybox-static",),
        skip=_NOT_NEEDED,
        entries=(*_applets(f"{_SHELL} {_TOOLS}"), Directory("www")),
    ),
    _single("coredns", "coredns", "/coredns", _NONROOT),
    Recipe(
        "postgres",
        Config(
            ("/usr/local/bin/postgres-entrypoint",),
            ("postgres",),
            _POSTGRES.config,
            (("PATH", f"/{_POSTGRES_HOME}/bin:/usr/local/bin:/usr/bin:/bin"), ("PGDATA", "/var/lib/postgresql/data")),
            stop_signal="SIGINT",  # the fast shutdown; SIGTERM would wait for every client
        ),
        (("postgres-entrypoint", "/usr/local/bin/postgres-entrypoint"),),
        (
            f"postgresql-{versions.POSTGRES}",
            f"postgresql-client-{versions.POSTGRES}",
            "busybox-static",
            "libc-bin",
            "tzdata",
        ),
        (*_INSTALLERS, "libllvm14"),
        (*_NOT_NEEDED, f"{_POSTGRES_HOME}/lib/bitcode/", f"{_POSTGRES_HOME}/lib/llvmjit"),
        (
            *_applets(_SHELL),
            Directory("var/lib/postgresql/data", 0o700, _POSTGRES.owner),
            Directory("run/postgresql", 0o775, _POSTGRES.owner),
            Link("var/run", "/run"),
        ),
    ),
    Recipe(
        "redis",
        Config(
            (),
            ("redis-server",),
            _REDIS.config,
            (("PATH", "/usr/local/bin:/usr/bin:/bin"),),
            working_dir="/data",
        ),
        packages=("redis-server", "redis-tools", "busybox-static"),
        without=_INSTALLERS,
        skip=(*_NOT_NEEDED, "etc/redis/", "etc/default/", "etc/logrotate.d/", "var/"),
        entries=(*_applets(_SHELL), Directory("data", 0o755, _REDIS.owner)),
    ),
    _single(
        "prometheus",
        "prometheus",
        "/bin/prometheus",
        _NOBODY,
        "--config.file=/etc/prometheus/prometheus.yml",
        "--storage.tsdb.path=/prometheus",
        data="prometheus",
    ),
    _single(
        "alertmanager",
        "alertmanager",
        "/bin/alertmanager",
        _NOBODY,
        "--config.file=/etc/alertmanager/alertmanager.yml",
        "--storage.path=/alertmanager",
        data="alertmanager",
    ),
    _single("node-exporter", "node_exporter", "/bin/node_exporter", _NOBODY),
    _single("collector", "otelcol", "/otelcol-contrib", _OTEL, "--config", "/etc/otelcol-contrib/config.yaml"),
    _single("loki", "loki", "/usr/bin/loki", _LOKI, "-config.file=/etc/loki/local-config.yaml", data="loki"),
    _single("kube-state-metrics", "kube-state-metrics", "/kube-state-metrics", _NOBODY),
    _single("metrics-server", "metrics-server", "/metrics-server", _NOBODY),
)
