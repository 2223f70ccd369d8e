"""Corrupted files: valid ones, edited in the ways in which files break or are forged."""

import hashlib
import io
import json
import re
import struct
import zipfile
from typing import Any

import numpy as np
from hypothesis import strategies as st

NUMBERS = [0, 1, 2, 7, 8, 255, 256, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**53, 2**63 - 1, 2**64 - 1]
VALUES: list[Any] = [
    *NUMBERS, -1, -(2**63), 10**30, 0.5, -0.0, 1e308, True, None, "", "F32", "zzz", "1e5", [], {}, [[0]],
]  # fmt: skip
LITERALS = [
    "nan", "inf", "-inf", "1e999", "9" * 5000, "0x" + "f" * 300, "0x" + "f" * 4000, "1\n" + "a." * 3000 + "a = 1",
    "true", '""', "[]", "{}", "1979-05-27", "[[1]]",
    "[" * 3000 + "]" * 3000, "{a=" * 400 + "1" + "}" * 400, '"a:b"', r"'\u0000'", "-1", "1_0", "[1e9]", "[100000]",
]  # fmt: skip


@st.composite
def edited(draw: st.DrawFn, valid: bytes) -> bytes:
    """Return bytes with one to four edits."""
    content = bytearray(valid)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(content) - 1)))
        kind = draw(st.sampled_from(["set", "cut", "drop", "insert", "repeat", "big", "little", "long"]))
        if kind == "set":
            content[at : at + 1] = bytes([draw(st.integers(0, 255))])
        elif kind == "cut":
            del content[at:]
        elif kind == "drop":
            del content[at : at + draw(st.integers(1, 16))]
        elif kind == "insert":
            content[at:at] = draw(st.binary(min_size=1, max_size=8))
        elif kind == "repeat":
            content[at:at] = content[at : at + 64] * draw(st.integers(1, 4))
        else:
            form = {"big": ">I", "little": "<I", "long": "<Q"}[kind]
            size = struct.calcsize(form)
            content[at : at + size] = struct.pack(form, draw(st.sampled_from(NUMBERS)) % 256**size)
    return bytes(content)


@st.composite
def edited_json(draw: st.DrawFn, valid: bytes) -> bytes:
    """Return JSON with one to three values replaced, removed or added."""
    document = json.loads(valid)
    for _ in range(draw(st.integers(1, 3))):
        place, key = document, draw(st.sampled_from([*document, "new"]))
        while isinstance(place.get(key), dict) and place[key] and draw(st.booleans()):
            place = place[key]
            key = draw(st.sampled_from([*place, "new"]))
        if key in place and draw(st.booleans()):
            del place[key]
        else:
            place[key] = draw(st.sampled_from(VALUES))
        if not document:
            break
    return json.dumps(document).encode()


@st.composite
def edited_toml(draw: st.DrawFn, valid: bytes) -> bytes:
    """Return TOML with some values replaced by others."""
    lines = valid.decode().splitlines()
    for _ in range(draw(st.integers(1, 3))):
        i = draw(st.integers(0, len(lines) - 1))
        if "=" in lines[i]:
            lines[i] = f"{lines[i].partition('=')[0]}= {draw(st.sampled_from(LITERALS))}"
    return "\n".join(lines).encode()


@st.composite
def edited_safetensors(draw: st.DrawFn, valid: bytes) -> bytes:
    """Return a safetensors file with a changed header, text in it, number or size."""
    (size,) = struct.unpack("<Q", valid[:8])
    header, body = valid[8 : 8 + size], valid[8 + size :]
    kind = draw(st.sampled_from(["header", "text", "body", "size", "huge"]))
    if kind == "header":
        header = draw(edited_json(header))
    elif kind == "text":
        content = json.loads(header)
        if state := content.get("__metadata__", {}).get("state"):
            content["__metadata__"]["state"] = draw(edited_json(state.encode())).decode()
        header = json.dumps(content).encode()
    elif kind == "body":
        number = draw(st.sampled_from([float("nan"), float("inf"), -float("inf")]))
        at = 4 * draw(st.integers(0, len(body) // 4 - 1))
        body = body[:at] + struct.pack("<f", number) + body[at + 4 :]
    elif kind == "huge":
        header += b" " * draw(st.sampled_from([1000, 2_000_000]))
    length = draw(st.sampled_from(NUMBERS)) if kind == "size" else len(header)
    return struct.pack("<Q", length) + header + body


@st.composite
def edited_npz(draw: st.DrawFn, valid: dict[str, bytes]) -> bytes:
    """Return an .npz with a member that is edited, missing, renamed or an object array."""
    members = list(valid.items())
    i = draw(st.integers(0, len(members) - 1))
    name, content = members[i]
    kind = draw(st.sampled_from(["member", "member", "missing", "other name", "object"]))
    if kind == "missing":
        del members[i]
    elif kind == "other name":
        members[i] = (draw(st.text("xy_train.npy", max_size=12)), content)
    elif kind == "object":
        buffer = io.BytesIO()
        np.save(buffer, np.array([{"a": 1}, None]), allow_pickle=True)
        members[i] = (name, buffer.getvalue())
    else:
        members[i] = (name, draw(edited(content)))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))) as archive:
        for name, content in members:
            archive.writestr(name or "x", content)
    return buffer.getvalue()


def forged(checkpoint: bytes) -> bytes:
    """Return an edited checkpoint with its SHA-256 computed anew, as a forger would."""
    stated = re.search(rb'sha256\\": ?\\"([0-9a-f]{64})', checkpoint)
    if stated is None:
        return checkpoint
    zeros = b"0" * 64
    content = checkpoint.replace(stated[1], zeros, 1)
    return content.replace(zeros, hashlib.sha256(content).hexdigest().encode(), 1)


def sealed(lines: bytes) -> bytes:
    """Return the lines of a SHA256SUMS with a matching last line, as a forger would."""
    return lines + f"# {hashlib.sha256(lines).hexdigest()}\n".encode()
