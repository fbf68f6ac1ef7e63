from __future__ import annotations

from pathlib import Path

import pytest

from bulksend import cli
from bulksend.runs import lock
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


@pytest.mark.parametrize(
    "kind",
    [
        "nfs", "nfs3", "nfs4", "cifs", "smb", "smb3", "smbfs", "afs", "ncpfs", "9p", "ceph", "lustre", "gpfs",
        "glusterfs", "davfs", "davfs2", "fuse.sshfs", "fuse.s3fs", "fuse.rclone", "fuse.glusterfs",
    ],
)  # fmt: skip
def test_each_kind_of_network_file_system_is_known(kind: str) -> None:
    assert network_kind(Path("/mnt/campaign.run"), f"/dev/sda1 / ext4 rw 0 0\nx /mnt {kind} rw 0 0\n") == kind


@pytest.mark.parametrize(
    "kind", ["ext4", "xfs", "btrfs", "tmpfs", "overlay", "fuseblk", "fuse.portal", "fuse.snapfuse"]
)
def test_a_file_system_of_this_machine_is_none(kind: str) -> None:
    assert network_kind(Path("/mnt/campaign.run"), f"/dev/sda1 / ext4 rw 0 0\nx /mnt {kind} rw 0 0\n") is None


def test_a_file_lies_where_its_link_leads_to(tmp_path: Path) -> None:
    (tmp_path / "share").mkdir()
    (tmp_path / "here").symlink_to(tmp_path / "share")
    mounts = f"/dev/sda1 / ext4 rw 0 0\nserver:/ {tmp_path / 'share'} nfs4 rw 0 0\n"
    assert network_kind(tmp_path / "here" / "campaign.run", mounts) == "nfs4"
    assert network_kind(tmp_path / "campaign.run", mounts) is None


def test_a_run_is_kept_on_a_network_file_system_only_if_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/sda1 / ext4 rw 0 0\nserver:/ {tmp_path} nfs4 rw 0 0\n")
    monkeypatch.setattr(lock, "_MOUNTS", mounts)
    sheet = tmp_path / "campaign.csv"
    sheet.write_text("to,message\n639171234567,Hello\n")
    assert cli.run(["send", str(sheet), "--sandbox", "--yes"]) == 2
    assert "this lies on a network file system (nfs4)" in capsys.readouterr().err
    assert sorted(file.name for file in tmp_path.iterdir()) == ["campaign.csv", "mounts"]
    assert cli.run(["send", str(sheet), "--sandbox", "--yes", "--force"]) == 0
    run = next(str(file) for file in tmp_path.iterdir() if file.suffix == ".run")
    assert cli.run(["resolve", run]) == 2
    assert "this lies on a network file system (nfs4)" in capsys.readouterr().err
    assert cli.run(["resolve", run, "--sandbox", "--force"]) == 0
    assert cli.run(["retry", run, "-o", str(tmp_path / "mend.csv"), "--close"]) == 2
    assert "this lies on a network file system (nfs4)" in capsys.readouterr().err
    assert cli.run(["retry", run, "-o", str(tmp_path / "mend.csv"), "--close", "--force"]) == 0


def test_this_machines_own_mounts_can_be_read(tmp_path: Path) -> None:
    assert network_kind(tmp_path / "campaign.run") is None
