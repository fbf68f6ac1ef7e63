"""An answer's head, read anew from what came."""

from __future__ import annotations

import pytest

from bulksend.engagespark.head import Head

OK = b"HTTP/1.1 200 OK\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\nRetry-After: 1\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"


def test_a_field_is_found_however_its_name_is_written() -> None:
    head = Head(b"HTTP/1.1 429 Slow Down\r\nserver: x\r\nRETRY-after:  12 \r\nX: y\r\n\r\n{}")
    assert (head.status, head.is_whole, head.field("Retry-After"), head.field("Date")) == (429, True, "12", "")


def test_what_comes_before_the_answer_is_left_out() -> None:
    head = Head(HINTS + OK + b"X: y\r\n\r\n")
    assert (head.status, head.field("Retry-After"), head.field("X")) == (200, "", "y")
    assert not Head(HINTS).is_whole


def test_what_comes_behind_a_head_changes_nothing() -> None:
    second = b"HTTP/1.1 503 Busy\r\nRetry-After: 9\r\n\r\n"
    for behind in (b"", b"{", b"{}" + second, b"{}SSH-2.0"):
        head = Head(OK + b"Content-Length: 2\r\n\r\n" + behind)
        assert (head.status, head.field("Retry-After")) == (200, "")


def test_the_first_of_several_fields_counts() -> None:
    assert Head(OK + b"A: 1\r\na: 2\r\n\r\n").field("A") == "1"


def test_a_part_of_a_head_is_not_whole() -> None:
    whole = OK + b"Content-Length: 2\r\n\r\n"
    assert [Head(whole[:length]).is_whole for length in range(len(whole) + 1)] == [False] * len(whole) + [True]


@pytest.mark.parametrize(
    "came", [b"", b"SSH-2.0-OpenSSH_9.2\r\n\r\n", b"\x16\x03\x01", b"HTTP/1.1 200 OK\r\nno field\r\n\r\n"]
)
def test_what_is_no_http_has_no_head(came: bytes) -> None:
    assert not Head(came).is_whole


@pytest.mark.parametrize(
    ("fields", "ends"),
    [
        (b"", True),
        (b"Transfer-Encoding: identity\r\n", True),
        (b"Content-Length: 2\r\n", False),
        (b"Content-Length: 0\r\n", False),
        (b"Transfer-Encoding: Chunked\r\n", False),
        (b"transfer-encoding: gzip, chunked\r\n", False),
    ],
)
def test_a_body_ends_with_its_connection_only_if_nothing_else_ends_it(fields: bytes, *, ends: bool) -> None:
    assert Head(OK + fields + b"\r\n").ends_with_connection is ends


def test_a_switch_to_another_protocol_is_an_answer() -> None:
    head = Head(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nzzz")
    assert (head.status, head.is_whole) == (101, True)


def test_its_size_is_that_of_its_fields() -> None:
    assert 60_000 < Head(OK + b"X: " + b"y" * 60_000 + b"\r\n\r\n").size < 60_020
