from __future__ import annotations

from pathlib import Path

import pytest

from bulksend.runs.lock import network_kind

MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
proc /proc proc rw 0 0
server:/home /home nfs4 rw 0 0
/dev/sdb1 /home/local\\040disk xfs rw 0 0
//server/share /mnt/share cifs rw 0 0
sshfs#x /mnt/ssh fuse.sshfs rw 0 0
portal /run/user/doc fuse.portal rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/campaign.run", None),
        ("/home/ana/campaign.run", "nfs4"),
        ("/home/local disk/campaign.run", None),
        ("/homework/campaign.run", None),
        ("/mnt/share/deep/down/campaign.run", "cifs"),
        ("/mnt/ssh/campaign.run", "fuse.sshfs"),
        ("/run/user/doc/campaign.run", None),
    ],
)
def test_a_file_on_a_network_file_system_is_known_by_its_mount(path: str, kind: str | None) -> None:
    assert network_kind(Path(path), MOUNTS) == kind


def test_this_machines_own_mounts_can_be_read(tmp_path: Path) -> None:
    assert network_kind(tmp_path / "campaign.run") is None
