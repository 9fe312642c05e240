"""The initramfs archive is what the kernel and cpio read."""
import io
import stat

from bench.setup.cpio import Archive


def listing(data):
    """Decode an archive by the format's own description: name, mode, uid, content."""
    entries, at = [], 0
    while True:
        fields = [int(data[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
        assert data[at:at + 6] == b"070701"
        name = data[at + 110:at + 110 + fields[11] - 1].decode()
        at += (110 + fields[11] + 3) // 4 * 4
        content = data[at:at + fields[6]]
        at += (fields[6] + 3) // 4 * 4
        if name == "TRAILER!!!":
            assert at == len(data)
            return entries
        entries.append((name, fields[1], fields[2], content))


def packed(fill):
    stream = io.BytesIO()
    archive = Archive(stream)
    fill(archive)
    archive.close()
    return stream.getvalue()


def test_a_tree_is_packed_with_folders_first_links_as_links_and_root_as_owner(tmp_path):
    (tmp_path / "usr/bin").mkdir(parents=True)
    (tmp_path / "usr/bin/tool").write_bytes(b"abcde")
    (tmp_path / "usr/bin/tool").chmod(0o755)
    (tmp_path / "usr/bin/alias").symlink_to("tool")
    (tmp_path / "usr").chmod(0o755)
    (tmp_path / "usr/bin").chmod(0o755)
    data = packed(lambda archive: archive.tree(tmp_path))
    assert listing(data) == [
        ("usr", stat.S_IFDIR | 0o755, 0, b""), ("usr/bin", stat.S_IFDIR | 0o755, 0, b""),
        ("usr/bin/alias", stat.S_IFLNK | 0o777, 0, b"tool"), ("usr/bin/tool", stat.S_IFREG | 0o755, 0, b"abcde")]


def test_the_folders_of_a_file_are_made_before_it():
    data = packed(lambda archive: archive.file("etc/init/rc", b"x"))
    assert [entry[0] for entry in listing(data)] == ["etc", "etc/init", "etc/init/rc"]


def test_a_file_that_was_added_by_name_is_not_replaced_by_a_trees(tmp_path):
    (tmp_path / "init").write_bytes(b"theirs")

    def fill(archive):
        archive.file("init", b"ours", 0o755)
        archive.tree(tmp_path)

    assert [(name, content) for name, _, _, content in listing(packed(fill))] == [("init", b"ours")]


def test_a_device_node_needs_no_rights_to_be_packed():
    data = packed(lambda archive: archive.device("console", 5, 1))
    assert [(name, mode) for name, mode, _, _ in listing(data)] == [("console", stat.S_IFCHR | 0o600)]

