#!/usr/bin/env python3
"""Checks a proof that `provender audit prove` wrote, without provender: the standard library alone.

    python3 verify_proof.py proof.json [PUBLIC-KEY]

PUBLIC-KEY is the file or the text that `provender audit key` gave; without it the checkpoint's signature
is not checked. Exit 0 and a line that says what is proven, or exit 1 and the first step that fails.
The form is described in docs/reference/audit.md; trees are those of RFC 6962, notes those of C2SP.
"""

import base64
import hashlib
import json
import os
import sys


class Refused(Exception):
    """A step that does not hold."""


def need(holds, problem):
    if not holds:
        raise Refused(problem)


def sha256(data):
    return hashlib.sha256(data).digest()


def root_of(step):
    """The root that a leaf's path leads to (RFC 9162, 2.1.3.2)."""
    at, size = step["index"], step["size"]
    need(isinstance(at, int) and isinstance(size, int) and 0 <= at < size, "a leaf's number is beyond its tree")
    last = size - 1
    node = sha256(b"\x00" + step["text"].encode())
    for sibling in (bytes.fromhex(h) for h in step["path"]):
        need(last > 0 and len(sibling) == 32, "a path is too long")
        if at & 1 or at == last:
            node = sha256(b"\x01" + sibling + node)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            node = sha256(b"\x01" + node + sibling)
        at, last = at >> 1, last >> 1
    need(last == 0, "a path is too short")
    return node


# Ed25519 (RFC 8032), verification only. Slow, and enough for one signature.
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def add(a, b):
    """Points are (X, Y, Z, T) with x = X/Z, y = Y/Z, T = XY/Z."""
    e = (a[1] - a[0]) * (b[1] - b[0]) % P
    f = (a[1] + a[0]) * (b[1] + b[0]) % P
    g = 2 * a[3] * b[3] * D % P
    h = 2 * a[2] * b[2] % P
    i, j, k, l = f - e, h - g, h + g, f + e
    return i * j % P, k * l % P, j * k % P, i * l % P


def times(n, point):
    result = (0, 1, 1, 0)
    while n:
        if n & 1:
            result = add(result, point)
        point, n = add(point, point), n >> 1
    return result


def point_of(data):
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (1 << 255) - 1
    need(y < P, "a point is not on the curve")
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    need((x * x - square) % P == 0 and not (x == 0 and sign), "a point is not on the curve")
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


BASE = point_of((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def signed(public, text, signature):
    if len(signature) != 64:
        return False
    s = int.from_bytes(signature[32:], "little")
    if s >= L:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + text).digest(), "little") % L
    a, b = times(s, BASE), add(point_of(signature[:32]), times(h, point_of(public)))
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


def check_note(note, key):
    """The signed text of a note, once the key's holder has signed it."""
    text, found, lines = note.rpartition("\n\n")
    if not found:
        need(key is None, "the checkpoint is not signed")
        return note
    text += "\n"
    if key is None:
        return text
    name, _, data = key.strip().split("+", 2)
    data = base64.b64decode(data, validate=True)
    need(data[:1] == b"\x01" and len(data) == 33, "the public key is no Ed25519 key")
    key_id = sha256(name.encode() + b"\n" + data)[:4]
    need(text.split("\n")[0] == name, "the checkpoint is of another ledger than the key")
    for line in lines.splitlines():
        need(line.startswith("\u2014 "), "a signature is malformed")
        signer, _, encoded = line[2:].partition(" ")
        signature = base64.b64decode(encoded, validate=True)
        if signer == name and signature[:4] == key_id:
            need(signed(data[1:], text.encode(), signature[4:]), "the signature is not of this checkpoint")
            return text
    raise Refused("this key did not sign the checkpoint")


def verify(proof, key):
    need(proof["$type"] == "provender.proof.v1", "it is of another form")
    payload = json.loads(proof["payload"])
    need(payload["count"] == proof["run"]["size"], "the entry recorded another number of runs")
    need(payload["root"] == "sha256:" + root_of(proof["run"]).hex(), "the run does not lead to the root in its entry")
    entry = json.loads(proof["entry"]["text"])
    digest = "sha256-jcs-v1:" + sha256(proof["payload"].encode()).hex()
    need(entry["payload"] == digest, "the payload is not the one that the entry names")
    need(entry["kind"] in ("runs", "reissue"), "the entry recorded no runs")
    origin, size, root = check_note(proof["checkpoint"], key).rstrip("\n").split("\n")
    need(entry["seq"] == proof["entry"]["index"] + 1, "the entry stands elsewhere in the tree")
    need(int(size) == proof["entry"]["size"], "the checkpoint is of another size")
    need(base64.b64decode(root, validate=True) == root_of(proof["entry"]), "the entry does not lead to the checkpoint's root")
    run = json.loads(proof["run"]["text"])
    need(run["$type"] == "provender.run.v2", "what is proven is no run")
    return origin, entry, run


def main(arguments):
    if len(arguments) not in (1, 2):
        print(__doc__, file=sys.stderr)
        return 64
    with open(arguments[0], encoding="utf-8") as file:
        text = file.read()
    key = arguments[1] if len(arguments) == 2 else None
    if key is not None and os.path.exists(key):
        with open(key, encoding="utf-8") as file:
            key = file.read()
    try:
        origin, entry, run = verify(json.loads(text), key)
    except Refused as refused:
        print(f"the proof does not hold: {refused}")
        return 1
    except (KeyError, TypeError, ValueError) as error:
        print(f"the proof does not hold: it is malformed ({error})")
        return 1
    of = ", ".join(run[part] for part in ("boundary_id", "herd_config_id", "calculation_date", "model_version"))
    print(f"proven: {of} gave {run['outputs']}, recorded {entry['at']} by {entry['actor']} in {origin}")
    print(f"manifest: {run['manifest_sha256']}")
    if key is None:
        print("the checkpoint's signature was not checked: no public key was given")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
